import t from 'tap';
import { settings } from '../src/config/settings.js';
import { schemas as documented } from '../src/http/openapi/schemas.js';
import { ScheduleBody } from '../src/http/schedule-body.js';
import { TaskBody } from '../src/http/task-body.js';
import { TokenRecord } from '../src/http/token-record.js';
import { MapOf, validator } from '../src/schema.js';
import { schemas as messages } from '../src/wire/messages.js';

/** Maps in a schema under whose names anything may stand, by their path. */
function openMaps(schema: unknown, path: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { patternProperties, additionalProperties } = schema as Record<string, unknown>;
  const isOpen =
    typeof patternProperties === 'object' &&
    (additionalProperties !== false || Object.keys(patternProperties ?? {}).some(hasDot));
  return [
    ...(isOpen ? [path] : []),
    ...Object.entries(schema).flatMap(([name, part]) => openMaps(part, `${path}.${name}`)),
  ];
}

/** A dot that stands for a character, and so for no line break. */
function hasDot(pattern: string): boolean {
  return pattern.replace(/\\.|\[(\\.|[^\]\\])*\]/g, '').includes('.');
}

t.test('no map has names that are not checked: of messages, bodies, settings', async (t) => {
  const bodies = { TaskBody, ScheduleBody, TokenRecord };
  const all = { messages, documented, settings, bodies };
  t.strictSame(openMaps(all, ''), []);
  t.ok(JSON.stringify(all).includes('"patternProperties"'), 'there are some');
  const dotted = { patternProperties: { '^.*$': {} }, additionalProperties: false };
  const open = { patternProperties: { '^a$': {} } };
  t.strictSame(openMaps({ dotted, open }, ''), ['.dotted', '.open'], 'they would be found');
});

t.test('a map checks what stands under whatever name', async (t) => {
  const counts = validator(MapOf(messages.ping.properties.sequence, { namesMax: 3 }));
  for (const name of ['', 'a', 'a\nb', '\r', '\u2028', '\u2029']) {
    t.ok(counts.fits({ [name]: 1 }), encodeURIComponent(name));
    t.notOk(counts.fits({ [name]: [[]] }), encodeURIComponent(name));
  }
  t.notOk(counts.fits({ abcd: 1 }));
});
