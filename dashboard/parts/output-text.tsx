import { ScrollBox } from './scroll-box.js';

interface OutputTextProps {
  readonly label: string;
  readonly text: string;
}

/** What a process printed. */
export const OutputText = ({ label, text }: OutputTextProps) => (
  <ScrollBox label={label} kind="tall">
    <pre class="output">{text}</pre>
  </ScrollBox>
);
