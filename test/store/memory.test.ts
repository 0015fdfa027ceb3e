import t from 'tap';
import { MemoryStore } from '../../src/store/memory.js';
import { storeSuite } from './suite.js';

storeSuite(t, () => new MemoryStore());
