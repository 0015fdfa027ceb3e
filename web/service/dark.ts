import { computed, signal } from '@preact/signals';
import { theme } from '../ui/theme.js';

const query = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(query.matches);
query.addEventListener('change', () => {
  systemIsDark.value = query.matches;
});

/** Whether it is dark now, whoever wished it: what is drawn on a canvas is drawn again for it. */
export const dark = computed(() =>
  theme.value === 'system' ? systemIsDark.value : theme.value === 'dark',
);
