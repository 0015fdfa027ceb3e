import { useMemo, useState } from 'preact/hooks';
import { type Match, OutputMatches } from './output-matches.js';
import type { OutputText } from './output-text.js';

/** What is looked for in an output, and where it was found. */
export interface Finding {
  /** Undefined: nothing is looked for. */
  sought: string | undefined;
  matches: OutputMatches | undefined;
  found: readonly Match[];
  /** Which of them is looked at, from 0. */
  index: number;
  current: Match | undefined;
  open(): void;
  close(): void;
  seek(sought: string): void;
  /** To the next place, or back; after the last comes the first. */
  step(by: 1 | -1): void;
}

/** @param show brings a place into sight */
export function useFinding(text: OutputText, show: (match: Match) => void): Finding {
  const [sought, setSought] = useState<string | undefined>();
  const [index, setIndex] = useState(0);
  const matches = useMemo(
    () => (sought ? new OutputMatches(text, sought) : undefined),
    [text, sought],
  );
  matches?.update();
  const found = matches?.found ?? [];
  const go = (at: number, all: readonly Match[]) => {
    const match = all[at];
    setIndex(at);
    if (match) show(match);
  };
  return {
    ...{ sought, matches, found, index, current: found[index] },
    open: () => setSought((before) => before ?? ''),
    close: () => setSought(undefined),
    seek: (next) => {
      setSought(next);
      setIndex(0);
      if (next === '') return;
      const fresh = new OutputMatches(text, next);
      fresh.update();
      go(0, fresh.found);
    },
    step: (by) => {
      if (found.length > 0) go((index + by + found.length) % found.length, found);
    },
  };
}
