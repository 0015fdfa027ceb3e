/** A line of the text format that has a value. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Exposition {
  /** Type of each family, by name. */
  types: Map<string, string>;
  samples: Sample[];
  /** The value of the one series with at least these labels; undefined when there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;

/**
 * Reads Prometheus' text format 0.0.4, strictly: throws where a line does not fit, where a sample has no
 * family, and where two have the same name and labels.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function readExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (typed && type) {
      if (types.has(typed)) throw new Error(`two families are called ${typed}`);
      types.set(typed, type);
      continue;
    }
    if (line === '' || /^# HELP \S+ \S.*$/.test(line)) continue;
    const [, name, labelText = '', valueText] = sampleLine.exec(line) ?? [];
    if (!name || !valueText) throw new Error(`not a line of the format: ${line}`);
    const family = name.replace(/_(bucket|sum|count)$/, '');
    if (!types.has(name) && types.get(family) !== 'histogram')
      throw new Error(`no family: ${line}`);
    const labels = readLabels(labelText);
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw new Error(`there twice: ${line}`);
    seen.add(key);
    samples.push({ name, labels, value: Number(valueText.replace('+Inf', 'Infinity')) });
  }
  return {
    types,
    samples,
    value: (name, labels = {}) => {
      const found = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      );
      if (found.length > 1) throw new Error(`${name} ${JSON.stringify(labels)} is not one series`);
      return found[0]?.value;
    },
  };
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const at = label.lastIndex;
    const [, name, value] = label.exec(text) ?? [];
    if (!name || value === undefined) throw new Error(`not labels, at ${at}: ${text}`);
    labels[name] = value.replaceAll('\\"', '"').replaceAll('\\n', '\n').replaceAll('\\\\', '\\');
  }
  return labels;
}
