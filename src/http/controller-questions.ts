import type { TaskSpec, TaskView } from '../task.js';
import type { Message, MessageKind, MessageOf } from '../wire/messages.js';

/** What the controller is asked. What answers each question, and whether asking it twice does no more than asking it once. */
export const questions = {
  submit: { answer: 'task', repeatable: false },
  get: { answer: 'task', repeatable: true },
  watch: { answer: 'task', repeatable: true },
  followTask: { answer: 'progress', repeatable: true },
  cancelTask: { answer: 'task', repeatable: false },
  status: { answer: 'report', repeatable: true },
  list: { answer: 'page', repeatable: true },
  getSpec: { answer: 'spec', repeatable: true },
  explain: { answer: 'explanation', repeatable: true },
  retryTask: { answer: 'task', repeatable: false },
  getDelivery: { answer: 'delivery', repeatable: true },
  redeliver: { answer: 'delivery', repeatable: false },
  queues: { answer: 'queueReports', repeatable: true },
  pauseQueue: { answer: 'queueReports', repeatable: true },
  resumeQueue: { answer: 'queueReports', repeatable: true },
  listSchedules: { answer: 'schedules', repeatable: true },
  getSchedule: { answer: 'schedule', repeatable: true },
  putSchedule: { answer: 'schedule', repeatable: false },
  setScheduleEnabled: { answer: 'schedule', repeatable: true },
  deleteSchedule: { answer: 'done', repeatable: false },
  // Whoever asks does not wait for another connection.
  measure: { answer: 'figures', repeatable: false },
  overview: { answer: 'overviewReport', repeatable: true },
  history: { answer: 'samples', repeatable: true },
  // By then another worker may have the name.
  drainWorker: { answer: 'worker', repeatable: false },
} as const satisfies Partial<Record<MessageKind, { answer: MessageKind; repeatable: boolean }>>;

export type QuestionKind = keyof typeof questions;
export type Question = MessageOf<QuestionKind>;
/** Of a question of that kind. */
export type AnswerTo<Kind extends QuestionKind> = MessageOf<(typeof questions)[Kind]['answer']>;
export type Answer = AnswerTo<QuestionKind>;

const answers: ReadonlySet<MessageKind> = new Set(
  Object.values(questions).map(({ answer }) => answer),
);

export function isAnswer(message: Message): message is Answer {
  return answers.has(message.kind);
}

/** Asking twice does no more than asking once. */
export function isRepeatable(question: Question): boolean {
  if (question.kind !== 'submit') return questions[question.kind].repeatable;
  return question.reply === 'stored' && question.task.idempotencyKey !== undefined;
}

/** In place of the task of a submission that is not kept. */
export const letGoTask: TaskSpec = { code: '' };

/** What most want of an answer: its task. */
export function taskOf({ task }: MessageOf<'task'>): TaskView {
  return task;
}

/** The answer as it came. */
export function whole<T>(answer: T): T {
  return answer;
}

/** Most of what it takes in memory. */
export function bytesOf(question: Question): number {
  if (question.kind !== 'submit') return 0;
  const { code, stdin, files = [] } = question.task;
  let bytes = code.length + (stdin?.length ?? 0);
  for (const { content } of files) bytes += content.length;
  return bytes;
}

/** The controller holds the answer until something comes of the task. */
export function isHeld(question: Question): boolean {
  if (question.kind === 'watch' || question.kind === 'followTask') return true;
  return question.kind === 'submit' && question.reply === 'finished';
}
