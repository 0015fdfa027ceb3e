import './exception.css';
import { useState } from 'preact/hooks';
import type { Exception, ExceptionFrame } from '../../src/client/task.js';
import { count } from '../ui/format.js';
import { VisibleText } from './visible-text.js';

export interface ExceptionViewProps {
  exception: Exception;
  /** Of a frame of the script itself: shows the line where it was written. */
  onLine?: ((line: number) => void) | undefined;
}

/** An exception that nobody caught, with the calls that led to it. */
export function ExceptionView({ exception, onLine }: ExceptionViewProps) {
  const { type, message, frames = [], cause } = exception;
  return (
    <section class="exception card" aria-label="Exception">
      <div class="exception-head">
        <h3>
          <VisibleText text={type ?? 'Exception'} />
        </h3>
        {message !== undefined && message !== '' && (
          <p class="mono exception-message">
            <VisibleText text={message} />
          </p>
        )}
        {cause && (
          <p class="hint">
            caused by <VisibleText text={[cause.type, cause.message].filter(Boolean).join(': ')} />
          </p>
        )}
      </div>
      {frames.length > 0 && (
        <ol class="frames" aria-label="Calls, the last one at the end">
          {frames.map((frame, index) => (
            <Frame key={index} frame={frame} isLast={index === frames.length - 1} onLine={onLine} />
          ))}
        </ol>
      )}
    </section>
  );
}

interface FrameProps {
  frame: ExceptionFrame;
  isLast: boolean;
  onLine: ExceptionViewProps['onLine'];
}

/** Its variables are made when they are to be seen: there may be thousands. */
function Frame({ frame, isLast, onLine }: FrameProps) {
  const { file, line, function: name, code, locals } = frame;
  const [isOpen, setOpen] = useState(isLast);
  const variables = Object.entries(locals ?? {});
  return (
    <li>
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="frame-function mono">
            <VisibleText text={name ?? '(no function)'} />
          </span>
          <span class="frame-place hint mono">
            <VisibleText text={file} />
            {line !== undefined && `:${line}`}
          </span>
          {variables.length > 0 && (
            <span class="hint">
              {count(variables.length)} {variables.length === 1 ? 'variable' : 'variables'}
            </span>
          )}
        </summary>
        {isOpen && (
          <div class="frame-body">
            {code !== undefined && (
              <pre class="frame-code">
                <span class="dim">{line} </span>
                <VisibleText text={code} />
              </pre>
            )}
            {variables.length > 0 && (
              <dl class="frame-locals">
                {variables.map(([variable, value]) => (
                  <div key={variable}>
                    <dt class="mono">
                      <VisibleText text={variable} />
                    </dt>
                    <dd class="mono">
                      <VisibleText text={value} />
                    </dd>
                  </div>
                ))}
              </dl>
            )}
            {onLine && line !== undefined && isOfScript(file) && (
              <button type="button" class="small" onClick={() => onLine(line)}>
                Show line {line}
              </button>
            )}
            {code === undefined && variables.length === 0 && (
              <p class="hint">Nothing more is known of this call.</p>
            )}
          </div>
        )}
      </details>
    </li>
  );
}

/** Whether this is the name that the script had where it ran. */
export function isOfScript(file: string): boolean {
  return /^script(\.\w{1,16})?$/.test(file);
}
