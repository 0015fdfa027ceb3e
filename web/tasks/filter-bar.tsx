import { useEffect, useRef, useState } from 'preact/hooks';
import { taskStates } from '../../src/task-words.js';
import { outcomes } from '../../src/verdict.js';
import { overview } from '../api/overview.js';
import { sessionState } from '../api/session.js';
import { type FilterName, type TaskFilter, withFilter } from './task-filter.js';

export interface FilterBarProps {
  filter: TaskFilter;
  /** @param isTyped letter by letter: each is not a place of its own to go back to */
  onChange(filter: TaskFilter, isTyped: boolean): void;
}

/** Bytes of a group, a tag or a text that the service takes; letters may have several. */
const textMax = 128;
/** After the last letter, before the list is asked for anew. Milliseconds. */
const typingMs = 300;

/** What the list is to show. On a phone all but the text is folded away. */
export function FilterBar({ filter, onChange }: FilterBarProps) {
  const [isOpen, setOpen] = useState(false);
  const pick = (name: FilterName, value: string) =>
    onChange(withFilter(filter, name, value), false);
  const type = (name: FilterName, value: string) => onChange(withFilter(filter, name, value), true);
  const count = Object.keys(filter).filter((name) => name !== 'text').length;
  return (
    <search class={`filters${isOpen ? ' open' : ''}`} aria-label="Filters of the tasks">
      <Typed name="text" label="Contains" value={filter.text} onType={type} isSearch />
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Filters{count > 0 && ` (${count})`}
      </button>
      <Choice name="state" label="State" value={filter.state} options={taskStates} onPick={pick} />
      <Choice name="type" label="Type" value={filter.type} options={types(filter)} onPick={pick} />
      <Choice
        name="outcome"
        label="Outcome"
        value={filter.outcome}
        options={outcomes}
        onPick={pick}
      />
      {!isBound() && <Typed name="group" label="Group" value={filter.group} onType={type} />}
      <Typed name="tag" label="Tag" value={filter.tag} onType={type} />
      <label class="check">
        <input
          type="checkbox"
          checked={filter.deadLetter !== undefined}
          onChange={(event) => pick('deadLetter', event.currentTarget.checked ? 'true' : '')}
        />
        Dead letters
      </label>
    </search>
  );
}

/** Whoever sees one group only has nothing to choose. */
function isBound(): boolean {
  const state = sessionState.value;
  return state.kind === 'in' && state.session.group !== undefined;
}

/** Those of the service, and the one of the address, whatever that is. */
function types({ type }: TaskFilter): string[] {
  const known = (overview.value?.queues ?? []).map((queue) => queue.type);
  return [...new Set([...known, ...(type === undefined ? [] : [type])])].sort();
}

interface ChoiceProps {
  name: FilterName;
  label: string;
  value: string | undefined;
  options: readonly string[];
  onPick(name: FilterName, value: string): void;
}

function Choice({ name, label, value = '', options, onPick }: ChoiceProps) {
  return (
    <label>
      {label}
      <select
        class={value === '' ? undefined : 'set'}
        value={value}
        onChange={(event) => onPick(name, event.currentTarget.value)}
      >
        <option value="">any</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </label>
  );
}

interface TypedProps {
  name: FilterName;
  label: string;
  value: string | undefined;
  isSearch?: boolean;
  onType(name: FilterName, value: string): void;
}

function Typed({ name, label, value = '', isSearch = false, onType }: TypedProps) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const send = (next: string) => {
    sent.current = next;
    onType(name, next);
  };
  const latest = useRef(send);
  latest.current = send;
  useEffect(() => {
    // What comes back late of what was typed is no reason to take away what was typed since.
    if (value === sent.current) return;
    sent.current = value;
    setText(value);
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const timer = setTimeout(() => latest.current(text), typingMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class={isSearch ? 'text' : undefined}>
      {label}
      <input
        type="search"
        name={name}
        class={value === '' ? undefined : 'set'}
        maxLength={textMax}
        autocomplete="off"
        spellcheck={false}
        placeholder={isSearch ? 'id, tag, reason, script …' : 'any'}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') send(text);
          if (event.key !== 'Escape') return;
          event.preventDefault();
          setText('');
          send('');
          event.currentTarget.blur();
        }}
      />
    </label>
  );
}
