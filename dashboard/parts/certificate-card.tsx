import { useEffect, useState } from 'preact/hooks';
import type { Certificate, Statement } from '../../schemas/verification.js';
import { countText } from './number-text.js';
import { Facts } from './facts.js';

/** The certificate as a file that `replay verify --against` takes. */
const useFile = (certificate: Certificate): string | undefined => {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(
      new Blob([`${JSON.stringify(certificate, null, 2)}\n`], { type: 'application/json' }),
    );
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [certificate.signature]);
  return url;
};

/** A signed statement about a range of the log. The page shows it; `replay verify --against` checks it. */
export const CertificateCard = ({ certificate }: { readonly certificate: Certificate }) => {
  const url = useFile(certificate);
  const said = JSON.parse(certificate.statement) as Statement;
  const facts: readonly (readonly [string, string])[] = [
    ['Issued', said.issuedAt],
    ['Range', `${said.firstSeq} to ${said.lastSeq}`],
    ['Records', countText(said.records)],
    ['Findings', countText(said.findings)],
  ];
  return (
    <>
      <h3 class="section">Certificate</h3>
      <Facts facts={facts} />
      <p class="certificate">
        Signed by <code>{certificate.publicKey}</code> (Ed25519): <code>{certificate.signature}</code>
      </p>
      {url !== undefined && (
        <p>
          <a class="button" href={url} download="certificate.json">
            Download the certificate
          </a>{' '}
          <span class="note">
            Keep it on another machine. <code>tallystick replay verify --against certificate.json</code> reads
            the range again, and reports each difference.
          </span>
        </p>
      )}
    </>
  );
};
