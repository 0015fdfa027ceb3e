import { useEffect } from 'preact/hooks';
import { overview } from '../api/overview.js';
import { VisibleText } from '../verdict/visible-text.js';
import { draft, edit } from './draft.js';
import { runtimes } from './runtimes.js';

/** Which runtime the script is for. */
export function RuntimeChoice() {
  const { type, code } = draft.value;
  const first = overview.value?.queues[0]?.type;
  const isThere = overview.value?.queues.some((queue) => queue.type === type) ?? true;
  useEffect(() => {
    // Nothing has been chosen by anybody yet.
    if (code === '' && !isThere && first !== undefined) edit({ type: first });
  }, [isThere, first]);
  return (
    <fieldset class="runtimes">
      <legend class="only-read">Runtime</legend>
      {runtimes(type).map((runtime) => (
        <label key={runtime.type} title={runtime.isServed ? undefined : 'No worker is connected'}>
          <input
            type="radio"
            name="runtime"
            value={runtime.type}
            checked={runtime.type === type}
            onChange={() => edit({ type: runtime.type })}
          />
          <span>
            <VisibleText text={runtime.label} />
            {!runtime.isServed && <small> no worker</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
