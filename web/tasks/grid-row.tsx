// biome-ignore-all lint/a11y/useSemanticElements: a table lays out all of its rows, and most are not there
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus stays at the grid

import type { Column } from './task-columns.js';
import type { TaskRow } from './task-row.js';

export interface GridRowProps {
  row: TaskRow;
  /** From 0. */
  index: number;
  columns: readonly Column[];
  isActive: boolean;
  isChosen: boolean;
  isNew: boolean;
  onOpen(row: TaskRow): void;
}

/** One task of a list. It is opened by a click anywhere, and its link by whatever opens links. */
export function GridRow(props: GridRowProps) {
  const { row, index, columns, isActive, isChosen, isNew, onOpen } = props;
  const looks = ['grid-row', isActive && 'active', isNew && 'new', row.isGone && 'gone'];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the grid around it
    <div
      id={`row-${row.id}`}
      role="row"
      class={looks.filter(Boolean).join(' ')}
      aria-rowindex={index + 2}
      aria-selected={isActive || isChosen}
      title={row.isGone ? 'It does not fit the filters any more' : undefined}
      onClick={(event) => {
        if (!isForItself(event)) onOpen(row);
      }}
    >
      {columns.map((column) => (
        <div key={column.name} role="gridcell" class={column.name}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

/** A click on something that does what it does, or the end of a selection of text. */
function isForItself(event: MouseEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return true;
  if (getSelection()?.isCollapsed === false) return true;
  return (
    event.target instanceof Element && event.target.closest('a, button, input, label') !== null
  );
}
