/**
 * What arrived is not what it claims to be. `word` is the one the specification and its vectors use; what a person reads
 * of it stands in texts.ts (T.error), which may need *detail*.
 */
export class Refused extends Error {
  constructor(
    readonly word: string,
    readonly detail: string | number = "",
  ) {
    super(`${word} ${detail}`.trim());
    this.name = "Refused";
  }
}
