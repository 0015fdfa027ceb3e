import { limits } from '../limits.js';
import type { Check } from '../task.js';
import type { CheckFault } from './answer.js';

export const checkKinds = ['schema', 'pattern', 'exact', 'script'] as const;
export type CheckKind = (typeof checkKinds)[number];

/** Which of its kinds a check without fault is. */
export function kindOf(check: Check): CheckKind {
  return checkKinds.find((kind) => check[kind] !== undefined) ?? 'exact';
}

/**
 * What the shape of a check cannot say, and needs no process to find out; undefined when nothing of
 * it is wrong. What is left, whether schema and pattern are valid, `Checker.compile` says.
 */
export function checkFault(check: Check): CheckFault | undefined {
  const [kind, ...more] = checkKinds.filter((name) => check[name] !== undefined);
  if (!kind || more.length > 0) {
    const found = kind ? `it has ${[kind, ...more].join(' and ')}` : 'it has none';
    return { field: 'check', message: `\`check\` needs one of ${checkKinds.join(', ')}; ${found}` };
  }
  for (const [option, owner] of [
    ['flags', 'pattern'],
    ['trim', 'exact'],
  ] as const) {
    if (check[option] === undefined || kind === owner) continue;
    const field = `check.${option}`;
    return { field, message: `\`${field}\` goes with \`check.${owner}\` only: leave it out` };
  }
  const nested = check.schema && depthFault(check.schema);
  if (nested) return nested;
  return (
    sizeFault('check', check, limits.checkBytesMax) ??
    (check.schema && sizeFault('check.schema', check.schema, limits.checkSchemaBytesMax)) ??
    argsFault(check.script?.args ?? [])
  );
}

/** Before anything goes through it that calls itself. */
function depthFault(schema: object): CheckFault | undefined {
  let level: object[] = [schema];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limits.checkSchemaDepthMax) {
      const most = limits.checkSchemaDepthMax;
      const message = `\`check.schema\` is nested deeper than ${most}: use $defs and $ref`;
      return { field: 'check.schema', message };
    }
    level = level.flatMap((value) => Object.values(value)).filter(isObject);
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function sizeFault(field: string, value: unknown, most: number): CheckFault | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes <= most) return undefined;
  return { field, message: `\`${field}\` has ${bytes} bytes as JSON; at most ${most} are allowed` };
}

/** As execve(2) takes them. */
function argsFault(args: readonly string[]): CheckFault | undefined {
  const index = args.findIndex((arg) => arg.includes('\0'));
  if (index < 0) return undefined;
  const field = `check.script.args.${index}`;
  return { field, message: `\`${field}\` holds a NUL, which no process can be given` };
}
