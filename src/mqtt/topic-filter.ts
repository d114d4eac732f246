/** Whether a topic filter, as MQTT has it, matches a topic. */
export function matchesFilter(filter: string, topic: string): boolean {
  // A wildcard on the first level does not match the topics of the broker itself.
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}
