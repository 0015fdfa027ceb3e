/**
 * What areas are filled with, so that they can be told apart without their colours. Each is a tile
 * of 8 by 8, drawn once as lines: on the canvas of a chart and in its legend.
 */
export const tileSize = 8;

/** SVG paths. */
export const patterns = {
  plain: '',
  rising: 'M-2 2L2 -2M0 8L8 0M6 10L10 6',
  falling: 'M-2 6L2 10M0 0L8 8M6 -2L10 2',
  crossed: 'M0 0L8 8M0 8L8 0',
  dots: 'M1 2h2M5 6h2',
  level: 'M0 2H8M0 6H8',
  upright: 'M2 0V8M6 0V8',
} as const;
export type Pattern = keyof typeof patterns;
