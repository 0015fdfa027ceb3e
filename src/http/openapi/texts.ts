import { Type } from 'typebox';
import { OneOf } from '../../schema.js';

/** A time as RFC 3339 writes it. */
export const Time = (options: object = {}) => Type.String({ format: 'date-time', ...options });

/** How `stdout`, `stderr` and contents of files are written. */
export const Encoding = OneOf(['utf-8', 'base64']);
