import type { ComponentChildren } from 'preact';

interface ScrollBoxProps {
  readonly label: string;
  readonly kind?: string;
  readonly children: ComponentChildren;
}

/** What may be wider than a small window: it alone scrolls, also by keyboard. */
export const ScrollBox = ({ label, kind = '', children }: ScrollBoxProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, a keyboard could not scroll
  <section class={`scroll ${kind}`} aria-label={label} tabIndex={0}>
    {children}
  </section>
);
