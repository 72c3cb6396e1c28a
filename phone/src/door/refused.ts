/** What arrived is not what it claims to be. `word` is the one the specification and its vectors use. */
export class Refused extends Error {
  constructor(
    readonly word: string,
    message: string,
  ) {
    super(message);
    this.name = "Refused";
  }
}
