import { spawnSync } from 'node:child_process';
import t from 'tap';
import { chart } from '../../bench/growth/chart.js';
import type { Growth, Measured } from '../../bench/growth/growth.js';
import { element, escapeXml, svg, text } from '../../bench/plot/svg.js';

const hostile = `</text><script>alert("1")</script>&'\u0000\u001b\ud800\uffff]]>`;

/** Python's parser, which is strict: the texts of a document, or what is wrong with it. */
function parse(document: string): { texts: string[]; tags: string[] } {
  const program = [
    'import sys, json, xml.etree.ElementTree as E',
    'nodes = list(E.fromstring(sys.stdin.buffer.read()).iter())',
    'json.dump({"texts": [n.text or "" for n in nodes], "tags": [n.tag for n in nodes]}, sys.stdout)',
  ].join('\n');
  const { status, stdout, stderr } = spawnSync('python3', ['-c', program], { input: document });
  if (status !== 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString()) as { texts: string[]; tags: string[] };
}

function growthOf(name: string): Growth {
  const series = [
    { key: 'a', label: name },
    { key: 'b', label: `${name} too` },
  ];
  return {
    ...{ name: 'test', title: name, work: { label: name, unit: 'bytes' } },
    panels: [{ title: name, short: name, unit: 'ms', kind: 'cost', series }],
    async run() {
      throw new Error('it is only drawn');
    },
  };
}

const points = [
  { work: 0, values: [1, 2, 3] },
  { work: 10, values: [2, 2, 2] },
  { work: 1_000, values: [50, 70, 40] },
];

t.test('labels that look like markup are shown as they are', async (t) => {
  const drawn = chart(growthOf(hostile), { a: points, b: points });
  const { texts, tags } = parse(drawn);
  const refused = new Set(['\u0000', '\u001b', '\ud800', '\uffff']);
  const shown = [...hostile].map((sign) => (refused.has(sign) ? '\ufffd' : sign)).join('');
  t.ok(texts.includes(shown), 'as text');
  t.notOk(
    tags.some((tag) => tag.endsWith('script')),
    'and not as an element',
  );
});

t.test('attributes cannot be left', async (t) => {
  const drawn = svg({ width: 1, height: 1 }, 'title', [element('g', { id: `"><b x='&` })]);
  t.match(drawn, 'id="&quot;&gt;&lt;b x=&apos;&amp;"');
  parse(drawn);
  t.equal(escapeXml('a\tb\u{1F600}'), 'a\tb\u{1F600}', 'what is harmless stays');
});

t.test('a plot has only numbers for places, and all that was measured', async (t) => {
  const shapes: Record<string, Measured> = {
    'with zero': { a: points, b: points },
    'one point': { a: [{ work: 7, values: [3] }], b: [{ work: 7, values: [3] }] },
    'all the same': {
      a: [1, 10, 100].map((work) => ({ work, values: [5, 5] })),
      b: [1, 10, 100].map((work) => ({ work, values: [5, 5] })),
    },
  };
  for (const [name, measured] of Object.entries(shapes)) {
    const drawn = chart(growthOf('plain'), measured);
    t.notMatch(drawn, /NaN|Infinity|undefined/, name);
    const dots = parse(drawn).tags.filter((tag) => tag.endsWith('circle'));
    const { a = [], b = [] } = measured;
    t.equal(dots.length, a.length + b.length, `${name}: a dot for each point`);
  }
});

t.test('figures at the end of two lines at the same place do not cover each other', async (t) => {
  const drawn = chart(growthOf('plain'), { a: points, b: points });
  const places = [...drawn.matchAll(/<text x="[\d.]+" y="([\d.]+)"[^>]*>50 ms</g)];
  t.equal(places.length, 2);
  t.ok(Math.abs(Number(places[0]?.[1]) - Number(places[1]?.[1])) >= 12);
});

t.test('a series that was not measured is named', async (t) => {
  t.throws(() => chart(growthOf('plain'), { a: points }), /"b"/);
});

t.test('text has no fraction of a pixel that nobody sees', async (t) => {
  t.match(String(text(1 / 3, 2, 'x')), 'x="0.3" y="2"');
});
