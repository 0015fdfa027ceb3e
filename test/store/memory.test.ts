import t from 'tap';
import { MemoryStore } from '../../src/store/memory.js';
import { listSuite } from './list-suite.js';
import { storeSuite } from './suite.js';

storeSuite(t, () => new MemoryStore());
listSuite(t, () => new MemoryStore());
