import { href } from '../route.js';
import { VisibleText } from '../verdict/visible-text.js';
import { fillBack, filling } from './filling.js';

/** Says where what stands in the fields came from. */
export function FilledNote() {
  const told = filling.value;
  if (!told) return null;
  const close = () => {
    filling.value = undefined;
  };
  if (told.kind === 'fault') {
    return (
      <div class="told">
        <p class="fault" role="alert">
          {told.fault}
        </p>
        <button type="button" class="small" onClick={close}>
          Close
        </button>
      </div>
    );
  }
  return (
    <div class="told">
      <div class="told-text">
        {told.kind === 'link' ? (
          <p role="status">Filled in from a link. Read it before you run it.</p>
        ) : (
          <p role="status">
            Filled in from task{' '}
            <a class="mono" href={href(['tasks', told.id])}>
              {told.id}
            </a>
            .
          </p>
        )}
        {told.kind === 'task' && told.files.length > 0 && (
          <p class="hint">
            Its files are not handed out. Add them again:{' '}
            <VisibleText text={told.files.join(', ')} />
          </p>
        )}
      </div>
      <div class="buttons">
        {told.before.code !== '' && (
          <button type="button" class="small" onClick={fillBack}>
            Back to what was here
          </button>
        )}
        <button type="button" class="small" onClick={close}>
          Close
        </button>
      </div>
    </div>
  );
}
