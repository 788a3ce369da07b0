// LaMDA's metrics of a set of responses (arXiv 2201.08239, section 4).

export interface JudgedResponse {
  sensible: boolean;
  specific: boolean;
  interesting: boolean;
  safe: boolean;
  /** Makes claims about the outside world. */
  hasExternalClaims: boolean;
  /** All of these are supported by a known source. */
  isSupported: boolean;
  /** Cites the source's address; claims that everybody knows need none. */
  isCited: boolean;
}

/** Shares, 0 to 1; null where nothing counts. */
export interface DialogueMetrics {
  sensibleness: number | null;
  specificity: number | null;
  interestingness: number | null;
  /** Mean of the three before it. */
  quality: number | null;
  safety: number | null;
  /** Supported ÷ responses with external claims. */
  groundedness: number | null;
  /** Supported responses with external claims ÷ all. */
  informativeness: number | null;
  /** Cited ÷ responses with external claims. */
  citationAccuracy: number | null;
}

export function dialogueMetrics(responses: readonly JudgedResponse[]): DialogueMetrics {
  const claims = responses.filter(({ hasExternalClaims }) => hasExternalClaims);
  const of = (name: keyof JudgedResponse, among = responses) =>
    share(
      among.filter((one) => one[name]),
      among,
    );
  const [sensibleness, specificity, interestingness] = [of('sensible'), of('specific'), of('interesting')];
  const quality =
    responses.length === 0 ? null : ((sensibleness ?? 0) + (specificity ?? 0) + (interestingness ?? 0)) / 3;
  return {
    sensibleness,
    specificity,
    interestingness,
    quality,
    safety: of('safe'),
    groundedness: of('isSupported', claims),
    informativeness: share(
      claims.filter(({ isSupported }) => isSupported),
      responses,
    ),
    citationAccuracy: of('isCited', claims),
  };
}

const share = (part: readonly unknown[], whole: readonly unknown[]) =>
  whole.length === 0 ? null : part.length / whole.length;
