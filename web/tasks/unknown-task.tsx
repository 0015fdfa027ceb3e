import { VisibleText } from '../verdict/visible-text.js';

/** @param sentence of the service */
export function UnknownTask({ id, sentence }: { id: string; sentence: string }) {
  return (
    <div class="centred">
      <h1>No such task</h1>
      <p class="mono id-whole">
        <VisibleText text={id} />
      </p>
      <p>{sentence}</p>
      <p class="dim">
        Tasks that have ended are kept for a time and up to a size only; then they are removed.
      </p>
      <p>
        <a href="#/tasks">All tasks</a>
      </p>
    </div>
  );
}
