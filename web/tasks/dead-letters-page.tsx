import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { may, type SessionState, sessionState } from '../api/session.js';
import { Confirm } from '../ui/confirm.js';
import { count } from '../ui/format.js';
import { type KeptList, keptList } from './kept-list.js';
import { ListFoot } from './list-foot.js';
import { Resending } from './resending.js';
import { ResendingProgress } from './resending-progress.js';
import { type Column, deadLetterColumns, shortId } from './task-columns.js';
import { TaskGrid } from './task-grid.js';
import type { TaskList } from './task-list.js';
import type { TaskRow } from './task-row.js';
import './tasks-page.css';
import './dead-letters-page.css';

/** What is being sent again goes on while another page is looked at; whoever signs in next sees none of it. */
const current = signal<{ resending: Resending; session: SessionState } | undefined>(undefined);

/** Tasks that were given up by no doing of their own, and a way to send them again. */
export function DeadLettersPage() {
  const kept = useMemo(() => keptList('dead-letters', { deadLetter: 'true' }), []);
  useEffect(() => kept.list.start(), [kept]);
  const [, setDrawn] = useState(0);
  const [asked, setAsked] = useState<readonly string[] | undefined>();
  const draw = () => setDrawn((drawn) => drawn + 1);
  void kept.list.version.value;
  forgetGone(kept);
  const resending =
    current.value?.session === sessionState.value ? current.value.resending : undefined;
  const isGoing = resending?.state.value === 'going';
  const columns = useMemo(() => columnsOf(kept, draw), [kept]);

  const send = (ids: readonly string[]) => {
    setAsked(undefined);
    kept.chosen.clear();
    const next = new Resending(ids);
    current.value = { resending: next, session: sessionState.value };
    void next.run((id) => kept.list.gone(id)).then(() => kept.list.tidy());
  };
  const press = (event: KeyboardEvent, row: TaskRow | undefined) => {
    if (!may('submit')) return false;
    if (event.key === ' ' && row) choose(kept, row.id);
    else if (event.key === 'r' && row && !isGoing) {
      setAsked(kept.chosen.size === 0 ? [row.id] : [...kept.chosen]);
    } else if (event.key === 'Escape') kept.chosen.clear();
    else return false;
    draw();
    return true;
  };
  return (
    <div class="tasks-page">
      <div class="page-head">
        <div>
          <h1>Dead letters</h1>
          <p class="dim">
            Tasks whose attempts are used up by no doing of their own: workers were lost, or the
            service failed them.
          </p>
        </div>
        {may('submit') && (
          <div class="buttons">
            <ChooseAll kept={kept} onChange={draw} />
            <button
              type="button"
              class="primary"
              disabled={kept.chosen.size === 0 || isGoing}
              onClick={() => setAsked([...kept.chosen])}
            >
              Send again{kept.chosen.size > 0 && ` (${count(kept.chosen.size)})`}
            </button>
          </div>
        )}
      </div>
      {resending && (
        <ResendingProgress
          of={resending}
          onClose={() => {
            current.value = undefined;
          }}
        />
      )}
      <div class="card list">
        <TaskGrid
          label="Dead letters"
          kept={kept}
          columns={columns}
          look={may('submit') ? 'dead-letters' : 'dead-letters only-seen'}
          onKey={press}
        >
          <Nothing list={kept.list} />
        </TaskGrid>
        <ListFoot list={kept.list} />
      </div>
      {asked && <Ask ids={asked} onConfirm={send} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

interface AskProps {
  ids: readonly string[];
  onConfirm(ids: readonly string[]): void;
  onClose(): void;
}

function Ask({ ids, onConfirm, onClose }: AskProps) {
  const isOne = ids.length === 1;
  return (
    <Confirm
      title={isOne ? 'Send this task again?' : `Send ${count(ids.length)} tasks again?`}
      action="Send again"
      onConfirm={() => onConfirm(ids)}
      onClose={onClose}
    >
      <p>
        {isOne ? 'It runs' : 'Each runs'} once more, as the newest submission. What made it a dead
        letter should be mended first, or it comes back here.
      </p>
    </Confirm>
  );
}

function Nothing({ list }: { list: TaskList }) {
  if (list.fault !== '' && !list.isKnown) return <p class="fault">{list.fault}</p>;
  if (!list.isKnown) return <p>Loading …</p>;
  if (!list.isWhole) return <p>Looking for dead letters …</p>;
  return <p>No dead letters: nothing was given up.</p>;
}

/** Of what is loaded: what is not here nobody has looked at. */
function ChooseAll({ kept, onChange }: { kept: KeptList; onChange(): void }) {
  const { chosen, list } = kept;
  const there = list.rows.filter(({ isGone }) => !isGone);
  const isAll = there.length > 0 && chosen.size === there.length;
  return (
    <button
      type="button"
      disabled={there.length === 0}
      onClick={() => {
        if (isAll) chosen.clear();
        else for (const { id } of there) chosen.add(id);
        onChange();
      }}
    >
      {isAll ? 'Choose none' : `Choose all ${count(there.length)}${list.isWhole ? '' : ' loaded'}`}
    </button>
  );
}

function choose({ chosen }: KeptList, id: string): void {
  if (!chosen.delete(id)) chosen.add(id);
}

/** What is no dead letter any more can't be chosen. */
function forgetGone({ chosen, list }: KeptList): void {
  if (chosen.size === 0) return;
  const there = new Set(list.rows.filter(({ isGone }) => !isGone).map(({ id }) => id));
  for (const id of chosen) if (!there.has(id)) chosen.delete(id);
}

function columnsOf(kept: KeptList, draw: () => void): readonly Column[] {
  if (!may('submit')) return deadLetterColumns;
  const choice: Column = {
    name: 'cell-choice',
    title: <span class="only-read">Chosen</span>,
    cell: ({ id }) => (
      <label class="choose">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Choose ${shortId(id)}`}
          checked={kept.chosen.has(id)}
          onChange={() => {
            choose(kept, id);
            draw();
          }}
        />
      </label>
    ),
  };
  return [choice, ...deadLetterColumns];
}
