import { useEffect, useRef } from 'preact/hooks';
import { count } from '../ui/format.js';
import { matchesMax } from './output-matches.js';

export interface OutputSearchProps {
  /** What is searched, for who can't see it. */
  label: string;
  sought: string;
  /** Places that were found, and which of them is shown, from 0. */
  found: number;
  index: number;
  onSeek: (sought: string) => void;
  /** 1: to the next place; -1: back. */
  onStep: (by: 1 | -1) => void;
  onClose: () => void;
}

/** Finds something in an output; the browser's own search sees only what is drawn of it. */
export function OutputSearch(props: OutputSearchProps) {
  const { label, sought, found, index, onSeek, onStep, onClose } = props;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape') onClose();
    else return;
    event.preventDefault();
  };
  const all = `${count(found)}${found === matchesMax ? '+' : ''}`;
  const said = sought === '' ? '' : found === 0 ? 'not found' : `${count(index + 1)} of ${all}`;
  return (
    <search class="output-search">
      <input
        ref={field}
        type="text"
        aria-label={`Find in ${label}`}
        placeholder="Find"
        value={sought}
        onInput={(event) => onSeek(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <span class="hint" role="status">
        {said}
      </span>
      <button type="button" class="small" disabled={found === 0} onClick={() => onStep(-1)}>
        <span aria-hidden="true">↑</span>
        <span class="only-read">Previous place</span>
      </button>
      <button type="button" class="small" disabled={found === 0} onClick={() => onStep(1)}>
        <span aria-hidden="true">↓</span>
        <span class="only-read">Next place</span>
      </button>
      <button type="button" class="small" onClick={onClose}>
        Close
      </button>
    </search>
  );
}
