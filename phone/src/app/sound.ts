/** The sound of the ring: two tones, made here; no file, no request. */

const TONES_HZ = [659.25, 523.25];
const EVERY_MS = 2200;
const TIMES = 12;

let speaker: AudioContext | null = null;

/** Browsers let a page sound only after a person has touched it once. */
export function allowSound(): void {
  speaker ??= new AudioContext();
  void speaker.resume();
}

export function dingDong(): void {
  if (speaker?.state !== "running") return;
  TONES_HZ.forEach((tone, i) => {
    const at = speaker!.currentTime + i * 0.45;
    const voice = new OscillatorNode(speaker!, { frequency: tone });
    const fade = new GainNode(speaker!, { gain: 0 });
    fade.gain.linearRampToValueAtTime(0.5, at + 0.01);
    fade.gain.exponentialRampToValueAtTime(0.001, at + 1.4);
    voice.connect(fade).connect(speaker!.destination);
    voice.start(at);
    voice.stop(at + 1.5);
  });
}

/** Ring until the returned function is called, or half a minute. */
export function ringOut(): () => void {
  let left = TIMES;
  const once = (): void => {
    dingDong();
    navigator.vibrate?.([300, 150, 300]);
    if (--left === 0) clearInterval(again);
  };
  const again = setInterval(once, EVERY_MS);
  once();
  return () => {
    clearInterval(again);
    navigator.vibrate?.(0);
  };
}
