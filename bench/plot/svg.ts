/**
 * SVG as text: elements whose attributes and texts are escaped, and the colours of every plot here.
 * Colours are classes, so that a plot follows the reader's dark or light; it paints its own background,
 * so that it can be read on any page.
 */

/** What is drawn already; the only thing that `element` takes as content unescaped. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Name of a colour below, as a class: lines are stroked with it, shapes and texts are filled. */
export type Ink = keyof typeof inks;

/** On white, and on black. */
const inks = {
  back: ['#ffffff', '#0d1117'],
  text: ['#1f2933', '#e6edf3'],
  muted: ['#5b6673', '#9aa7b4'],
  grid: ['#e3e8ee', '#262d36'],
  guide: ['#d3dae2', '#353e49'],
  first: ['#1d4ed8', '#79b0ff'],
  second: ['#c2410c', '#ff9b63'],
  firstPale: ['#bfdbfe', '#1d3a66'],
  secondPale: ['#fed7aa', '#5e3316'],
} as const;

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Characters that XML 1.0 does not allow, however they are written (section 2.2). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const notXml = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu;

/** Text for between tags and within quotes; what XML cannot hold becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text.replace(notXml, '\uFFFD').replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

/** `<name key="value">…</name>`. Content that is a string is text, and escaped. */
export function element(
  name: string,
  attributes: Record<string, string | number>,
  ...content: (Markup | string)[]
): Markup {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('');
  if (content.length === 0) return new Markup(`<${name}${written}/>`);
  const inner = content.map((part) => (part instanceof Markup ? String(part) : escapeXml(part)));
  return new Markup(`<${name}${written}>${inner.join('')}</${name}>`);
}

export interface TextStyle {
  ink?: Ink;
  /** Pixels. */
  size?: number;
  anchor?: 'start' | 'middle' | 'end';
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): Markup {
  const { ink = 'muted', size = 11, anchor = 'start' } = style;
  return element(
    'text',
    { x: pixels(x), y: pixels(y), class: ink, 'font-size': size, 'text-anchor': anchor },
    content,
  );
}

/** A stroke along an SVG path. `dash` as in stroke-dasharray. */
export function line(path: string, ink: Ink, { width = 1, dash = '' } = {}): Markup {
  return element('path', {
    d: path,
    class: `${ink} line`,
    ...(width !== 1 && { 'stroke-width': width }),
    ...(dash && { 'stroke-dasharray': dash }),
  });
}

/** What an SVG path encloses. */
export function area(path: string, ink: Ink): Markup {
  return element('path', { d: path, class: ink });
}

export function rectangle(
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  ink: Ink,
): Markup {
  return element('rect', { x, y, width, height, class: ink });
}

/** A whole file: `title` is what a reader hears who cannot see it. */
export function svg(size: { width: number; height: number }, title: string, content: Markup[]) {
  const { width, height } = size;
  const drawn = [
    element('title', {}, title),
    element('style', {}, new Markup(style())),
    rectangle({ x: 0, y: 0, width, height }, 'back'),
    ...content,
  ];
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'font-family': 'system-ui, sans-serif',
  };
  const inner = new Markup(`\n${drawn.join('\n')}\n`);
  return `${element('svg', attributes, inner)}\n`;
}

/** To a tenth: more only makes files that differ for nothing. */
export function pixels(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function style(): string {
  const rules = (which: 0 | 1) =>
    Object.entries(inks)
      .map(
        ([name, colours]) =>
          `.${name}{fill:${colours[which]}}.${name}.line{stroke:${colours[which]}}`,
      )
      .join('');
  const lines = '.line.line{fill:none;stroke-linejoin:round}';
  return `${rules(0)}@media (prefers-color-scheme:dark){${rules(1)}}${lines}`;
}
