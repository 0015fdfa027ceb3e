import { countInstructions } from './instructions.js';
import { type Probe, whyUnusable } from './quantity.js';

const of = ['instructions', 'allocated bytes'];
/** A prime, so that no two repetitions are alike. */
const warmUpsStep = 1_777;

/** Instructions and allocated bytes of what the hot path does without I/O. */
export const stepsProbe: Probe = {
  of,
  async measure(repetition) {
    const why = await whyUncountable();
    if (why) return { values: new Map(), unmeasured: of.map((name) => ({ of: name, why })) };
    const values = new Map<string, number>();
    for (const cost of await countInstructions(repetition * warmUpsStep)) {
      values.set(`instructions: ${cost.name}`, cost.instructions);
      values.set(`allocated bytes: ${cost.name}`, cost.allocatedBytes);
    }
    return { values, unmeasured: [] };
  },
};

async function whyUncountable(): Promise<string | undefined> {
  if (process.arch === 'x64') return await whyUnusable('cc', ['--version']);
  return `instructions are counted with the trap flag of x64, and this is ${process.arch}`;
}
