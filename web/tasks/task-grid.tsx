// biome-ignore-all lint/a11y/useSemanticElements: a table lays out all of its rows, and most are not there
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus stays at the grid

import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { overview } from '../api/overview.js';
import { go } from '../route.js';
import { useClock } from './clock.js';
import { GridRow } from './grid-row.js';
import type { KeptList } from './kept-list.js';
import type { Column } from './task-columns.js';
import type { TaskRow } from './task-row.js';
import './task-grid.css';

export interface TaskGridProps {
  label: string;
  kept: KeptList;
  columns: readonly Column[];
  /** Class that gives the columns their widths. */
  look: string;
  /** What the keys do beyond moving and opening. True: it was one of them. */
  onKey?(event: KeyboardEvent, row: TaskRow | undefined): boolean;
  /** Instead of rows, where there are none. */
  children: ComponentChildren;
}

/** Heights of a row: one line, and a card on a phone. Pixels; the style sheet fills them. */
const rowPx = { line: 40, card: 76 };
const phone = matchMedia('(max-width: 760px)');
/** So many rows before the last one, the next page is asked for. */
const rowsAhead = 100;

/**
 * Tasks as a grid (WAI-ARIA), of which only the rows that are seen are made. The focus stays at the
 * grid; the row that the keys are at is told by `aria-activedescendant`, and stays the same task when
 * rows come before it.
 */
export function TaskGrid({ label, kept, columns, look, onKey, children }: TaskGridProps) {
  const { list, space } = kept;
  const element = useRef<HTMLDivElement>(null);
  const [, setDrawn] = useState(0);
  const draw = useCallback(() => setDrawn((count) => count + 1), []);
  useClock();
  // Read so that each change of the list comes here.
  void list.version.value;
  space.rows = list.rows.length;
  const { from, to, topPx } = space.span();

  const scroll = useCallback(() => {
    const grid = element.current;
    if (!grid) return;
    const instead = space.scrolled(grid.scrollTop);
    if (instead !== undefined) grid.scrollTop = instead;
    list.isAtTop = space.isAtTop;
    draw();
  }, [kept]);
  useSize(element, kept, draw);
  useEffect(() => {
    const isNear = space.firstRow + space.rowsSeen > list.rows.length - rowsAhead;
    if (isNear && list.isKnown && list.pageFault === '' && !list.isResting) void list.older();
  });
  useEffect(() => {
    const { from, to } = space.span();
    void list.refresh(from, to);
  }, [kept, overview.value]);

  const at = activeRow(kept);
  const moveTo = (index: number) => {
    const next = Math.min(Math.max(0, index), list.rows.length - 1);
    const row = list.rows[next];
    if (!row || !element.current) return;
    kept.active = row.id;
    kept.activeAt = next;
    const scrolledPx = space.reveal(next);
    if (scrolledPx !== undefined) element.current.scrollTop = scrolledPx;
    draw();
  };
  const open = (row: TaskRow) => {
    kept.active = row.id;
    go(['tasks', row.id]);
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.key === ' ' || event.key === 'Enter') && !isOwn(event)) return;
    const row = list.rows[at];
    const target = movesOf(at, space.rowsSeen, list.rows.length - 1)[event.key];
    if (target !== undefined) moveTo(target);
    else if (event.key === 'Enter' && row) open(row);
    else if (!onKey?.(event, row)) return;
    event.preventDefault();
  };
  useKeysOfPage(element, press);

  const isEmpty = list.rows.length === 0;
  return (
    <div class="grid-frame">
      <div
        ref={element}
        class={`task-grid ${look}`}
        style={{ '--row': `${space.rowPx}px` }}
        role="grid"
        aria-label={label}
        aria-rowcount={list.isWhole ? list.rows.length + 1 : -1}
        aria-colcount={columns.length}
        aria-activedescendant={at >= from && at < to ? `row-${kept.active}` : undefined}
        aria-busy={!list.isKnown}
        tabIndex={0}
        onScroll={scroll}
        onKeyDown={press}
      >
        <div role="rowgroup" class="grid-head">
          <div role="row" class="grid-row" aria-rowindex={1}>
            {columns.map(({ name, title }) => (
              <div key={name} role="columnheader" class={name}>
                {title}
              </div>
            ))}
          </div>
        </div>
        {!isEmpty && (
          <div role="rowgroup" class="grid-space" style={{ height: `${space.heightPx}px` }}>
            <div role="presentation" style={{ transform: `translateY(${topPx}px)` }}>
              {list.rows.slice(from, to).map((row, offset) => (
                <GridRow
                  key={row.id}
                  row={row}
                  index={from + offset}
                  columns={columns}
                  isActive={row.id === kept.active}
                  isChosen={kept.chosen.has(row.id)}
                  isNew={list.arrived.has(row.id)}
                  onOpen={open}
                />
              ))}
            </div>
          </div>
        )}
      </div>
      {isEmpty && <div class="empty grid-empty">{children}</div>}
    </div>
  );
}

/** Where the row is that the keys are at; -1 where it is not there. */
function activeRow(kept: KeptList): number {
  const { active, activeAt, list } = kept;
  if (active === '' || list.rows[activeAt]?.id === active) return active === '' ? -1 : activeAt;
  kept.activeAt = list.indexOf(active);
  return kept.activeAt;
}

/** Where each key leads; -1 is before the first row. */
function movesOf(at: number, seen: number, last: number): Record<string, number> {
  return {
    ...{ ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1 },
    ...{ PageDown: at + seen, PageUp: at - seen, Home: 0, End: last },
  };
}

/** Not of a link or button in the grid. */
function isOwn({ target, currentTarget }: Event): boolean {
  return target === currentTarget || target === document.body;
}

/** Keys that are pressed while nothing has the focus are the grid's. */
function useKeysOfPage(
  element: { current: HTMLElement | null },
  press: (event: KeyboardEvent) => void,
): void {
  const latest = useRef(press);
  latest.current = press;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.target !== document.body) return;
      latest.current(event);
      if (event.defaultPrevented) element.current?.focus({ preventScroll: true });
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}

/** Keeps the space of the size of the element, and puts a list that was left to where it was. */
function useSize(
  element: { current: HTMLElement | null },
  { space }: KeptList,
  draw: () => void,
): void {
  useLayoutEffect(() => {
    const grid = element.current;
    if (!grid) return undefined;
    const measure = () => {
      const headPx = grid.firstElementChild?.clientHeight ?? 0;
      space.viewPx = grid.clientHeight - headPx;
      space.rowPx = phone.matches ? rowPx.card : rowPx.line;
      draw();
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(grid);
    grid.scrollTop = space.scrolledPx;
    return () => observer.disconnect();
  }, [space]);
}
