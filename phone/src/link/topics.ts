/** What a phone hears: exactly what the broker's rules let it read (docs/formats/mqtt.md), without the leading `doorbell/<door>/`. */
export function topicsOf(me: string): string[] {
  return ["availability", "hello", "alert", "poster/#", "journal/#", `to/${me}`, `clip/${me}/#`, `live/${me}/#`];
}
