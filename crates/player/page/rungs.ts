/** Which of a lesson's rungs are worth offering. Pure. */

/** What a rung shows and costs. */
export interface Offer {
  readonly height: number;
  /** Average, video and audio, in bits per second. */
  readonly bitRate: number;
  /** RFC 6381 name of its pictures' format, such as `av01.0.05M.08`. */
  readonly codec: string;
}

/** Pictures in AV1. */
export function isAv1(codec: string): boolean {
  return codec.startsWith('av01');
}

/**
 * The places of rungs that nobody needs: those in AV1 where it is not wanted, and those beside which another shows at
 * least as much for no more bits. So where AV1 is decoded its H.264 twins fall away, and so does a small rung that costs
 * more than a larger one in AV1.
 */
export function needless(offers: readonly Offer[], av1: boolean): number[] {
  const wanted = offers.map(({ codec }) => av1 || !isAv1(codec));
  const beats = (other: Offer, at: number, offer: Offer, place: number) =>
    other.height >= offer.height &&
    other.bitRate <= offer.bitRate &&
    // Of two that are equal the first stays.
    (other.height > offer.height || other.bitRate < offer.bitRate || at < place);
  return offers.flatMap((offer, place) => {
    const beaten = offers.some((other, at) => at !== place && wanted[at] && beats(other, at, offer, place));
    return !wanted[place] || beaten ? [place] : [];
  });
}
