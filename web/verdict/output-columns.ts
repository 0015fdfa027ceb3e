import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Characters of the ruler, by which the width of one is told. */
export const rulerColumns = 100;
/** Until it has been measured. */
const columnsAtFirst = 80;

/** How many characters fit into a row of the scroller, which has an `.output-ruler` in it. */
export function useColumns(scroller: RefObject<HTMLElement | null>): number {
  const [columns, setColumns] = useState(columnsAtFirst);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const look = () => {
      const ruler = element.querySelector('.output-ruler');
      const columnPx = (ruler?.getBoundingClientRect().width ?? 0) / rulerColumns;
      const { paddingLeft, paddingRight } = getComputedStyle(element);
      const paddingPx = Number.parseFloat(paddingLeft) + Number.parseFloat(paddingRight);
      const fitting = Math.floor((element.clientWidth - paddingPx) / columnPx);
      // While it is hidden there is nothing to be measured.
      if (Number.isFinite(fitting)) setColumns(Math.max(2, fitting));
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [scroller]);
  return columns;
}
