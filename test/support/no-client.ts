/** For requests in which no plug is talked to. */
export function noClient(): never {
  throw new Error('nobody was to talk to a plug that was found');
}
