/** What the memory store keeps of finished tasks; the oldest go first. */
export const memoryStoreLimits = {
  finishedTasksMax: 10_000,
  finishedBytesMax: 128 * 1024 * 1024,
} as const;
