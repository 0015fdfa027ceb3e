import t from 'tap';
import { route } from '../../src/scheduler/evaluator.js';

const known = ['python', 'node', 'bash'];

t.test('an explicit type is taken if it has workers', async (t) => {
  t.same(route({ type: 'bash', code: 'print(1)' }, known), { type: 'bash' });
  t.match(route({ type: 'ruby', code: '' }, known), { refusal: /ruby.*bash, node, python/ });
});

t.test('a shebang names the type', async (t) => {
  for (const [line, type] of [
    ['#!/usr/bin/env python3', 'python'],
    ['#!/usr/bin/env -S python3 -u', 'python'],
    ['#!/usr/bin/python3.12', 'python'],
    ['#! /bin/sh -e', 'bash'],
    ['#!/bin/bash', 'bash'],
    ['#!/usr/bin/env node', 'node'],
  ] as const) {
    t.same(route({ code: `${line}\nx` }, known), { type }, line);
  }
  for (const program of ['perl', 'constructor', '__proto__', 'toString']) {
    const refusal = new RegExp(`looks like ${program},`);
    t.match(route({ code: `#!/usr/bin/${program}\nprint 1` }, known), { refusal }, program);
  }
});

t.test('code tells its type by what only one language writes', async (t) => {
  t.same(route({ code: 'import json\nfor x in [1]:\n    print(x)' }, known), { type: 'python' });
  t.same(route({ code: 'import time; time.sleep(1)' }, known), { type: 'python' });
  t.same(route({ code: 'const a = 1; console.log(a)' }, known), { type: 'node' });
  t.same(route({ code: 'for f in *; do\n  echo "$f"\ndone' }, known), { type: 'bash' });
});

t.test('code that does not tell is refused, with the cure', async (t) => {
  for (const code of ['', '1', 'hello world']) {
    t.match(route({ code }, known), { refusal: /give `type`, one of: bash, node, python/ }, code);
  }
});

t.test('hostile code costs no more to route than other code', async (t) => {
  // Each of these is quadratic or worse for a careless pattern; the test would never end.
  const hostile = ['\n', ' ', 'import a,', 'def a:', 'let a', 'if :', '#!/usr/bin/env '];
  for (const piece of hostile) route({ code: piece.repeat(200_000) }, known);
  t.pass('all were routed');
});
