import { href } from '../route.js';
import { VisibleText } from '../verdict/visible-text.js';
import { draft } from './draft.js';
import { fillBack, filling } from './filling.js';
import { objectIn } from './submission.js';

/** What a link asks for beside the script stands below it, where it may not be seen. */
function Besides() {
  const { hasNetwork, env, files, further } = draft.value;
  const others = [
    ...(hasNetwork ? ['the network of the host'] : []),
    ...(env === '' ? [] : ['variables of its environment']),
    ...(Object.keys(files).length === 0 ? [] : ['files']),
    ...Object.keys(objectIn(further)),
  ];
  if (others.length === 0) return null;
  return (
    <p class="hint">
      Beside the script, below it, there are: <VisibleText text={others.join(', ').slice(0, 500)} />
    </p>
  );
}

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
          <>
            <p role="status">Filled in from a link. Read it before you run it.</p>
            <Besides />
          </>
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
