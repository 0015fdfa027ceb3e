import type { RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Of a row in output.css. Pixels. */
export const rowPx = 20;
/** No browser takes an element that is much higher: beyond it, a pixel stands for more than one. */
const heightPxMax = 15_000_000;
/** So few rows are all drawn: the browser's own search finds them. */
const allDrawnMax = 200;
/** Drawn above and below what is seen. */
const spareRows = 12;

export interface Viewport {
  /** Rows that are drawn: from the first up to, and without, the last. */
  first: number;
  last: number;
  /** Where the first is, and how high everything is. Pixels. */
  topPx: number;
  heightPx: number;
  /** Follows the end while there is more. */
  isFollowing: boolean;
  /** There is more than is seen. */
  isLonger: boolean;
  toEnd(): void;
  toRow(row: number): void;
}

/**
 * Which rows of many are drawn, by where the scroller stands. It stays at the end while rows are
 * added, until somebody scrolls away from there.
 *
 * @param count of all rows
 * @param follows whether it does so: of what was asked for to read on, the beginning is wanted
 */
export function useViewport(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  begins: 'at its beginning' | 'at its end',
  follows: boolean,
): Viewport {
  const [scrollTop, setScrollTop] = useState(0);
  const [viewPx, setViewPx] = useState(400);
  const [isFollowing, setFollowing] = useState(begins === 'at its end');
  const following = useRef(begins === 'at its end');
  /** Where it stood when it was last at its end. */
  const endedPx = useRef(0);
  const heightPx = Math.min(count * rowPx, heightPxMax);
  const seenRows = Math.ceil(viewPx / rowPx);
  const hiddenPx = Math.max(1, heightPx - viewPx);
  const hiddenRows = Math.max(1, count - Math.floor(viewPx / rowPx));
  const isScaled = count * rowPx > heightPxMax;

  const toEnd = useCallback(() => {
    following.current = true;
    setFollowing(true);
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [scroller]);

  const toRow = (row: number) => {
    const element = scroller.current;
    if (!element) return;
    following.current = false;
    setFollowing(false);
    const at = isScaled ? (row / hiddenRows) * hiddenPx : row * rowPx;
    element.scrollTop = Math.max(0, at - viewPx / 3);
  };

  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const onScroll = () => {
      setScrollTop(element.scrollTop);
      const restPx = element.scrollHeight - element.clientHeight - element.scrollTop;
      following.current = restPx < rowPx;
      if (following.current) endedPx.current = element.scrollTop;
      setFollowing(following.current);
    };
    const sizes = new ResizeObserver(() => setViewPx(element.clientHeight));
    sizes.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [scroller]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || !following.current) return;
    const endPx = element.scrollHeight - element.clientHeight;
    // Somebody may have scrolled away already: the browser says so a frame later.
    const stoodPx = follows ? Math.min(endedPx.current, endPx) : endPx;
    if (element.scrollTop <= stoodPx - rowPx) {
      following.current = false;
      setFollowing(false);
      setScrollTop(element.scrollTop);
    } else if (follows) {
      element.scrollTop = element.scrollHeight;
      endedPx.current = element.scrollTop;
    }
  }, [scroller, count, viewPx, follows]);

  const isLonger = heightPx > viewPx;
  const shown = { heightPx, isFollowing, isLonger, toEnd, toRow };
  if (count <= allDrawnMax) return { ...shown, first: 0, last: count, topPx: 0 };
  // In one go with the rows that make it higher: what the browser says of it comes a frame later.
  const atPx = isFollowing ? hiddenPx : Math.min(scrollTop, hiddenPx);
  const top = isScaled ? Math.round((atPx / hiddenPx) * hiddenRows) : Math.floor(atPx / rowPx);
  const first = Math.max(0, top - spareRows);
  const last = Math.min(count, top + seenRows + spareRows);
  const topPx = isScaled ? Math.max(0, atPx - (top - first) * rowPx) : first * rowPx;
  return { ...shown, first, last, topPx };
}
