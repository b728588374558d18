/** Whether this device decodes AV1 without dropping pictures. Asked once, when the engine's script arrives. */

/** What is asked about: the largest rung but one. A device that manages it manages what lessons mostly are. */
const QUESTION: MediaDecodingConfiguration = {
  type: 'media-source',
  video: { contentType: 'video/mp4; codecs="av01.0.05M.08"', width: 1280, height: 720, bitrate: 1_000_000, framerate: 30 },
};

let smooth = true;

/** True also as long as no answer has come, and where nobody answers: then it is known only that AV1 can be decoded. */
export function av1IsSmooth(): boolean {
  return smooth;
}

navigator.mediaCapabilities?.decodingInfo(QUESTION).then(
  (answer) => {
    smooth = answer.supported && answer.smooth;
  },
  () => undefined,
);
