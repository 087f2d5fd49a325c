// Calls Lectern through OpenAI's client for Node, unchanged, and prints what came as one JSON object.
import OpenAI, { APIError } from "openai";
import { Stream } from "openai/streaming";

const [baseURL, apiKey] = [process.env.LECTERN_URL, process.env.LECTERN_KEY];
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const speech = { model: "espeak", voice: "en-us", input: "The kettle sang on the stove. Outside it snowed." };
const long = Array.from({ length: 60 }, (_, number) => `This is sentence number ${number} of a long story.`).join(" ");

async function whole(response_format) {
  const answer = await client.audio.speech.create({ ...speech, response_format });
  const audio = Buffer.from(await answer.arrayBuffer());
  return { type: answer.headers.get("content-type"), audio: audio.toString("base64") };
}

async function streamed() {
  const answer = await client.audio.speech.create({ ...speech, input: long, response_format: "mp3" });
  const chunks = [];
  for await (const chunk of answer.body) chunks.push(Buffer.from(chunk));
  return { chunks: chunks.length, audio: Buffer.concat(chunks).toString("base64") };
}

async function events() {
  const body = { ...speech, response_format: "wav", stream_format: "sse", timestamps: "word" };
  const controller = new AbortController();
  const answer = await client.audio.speech.create(body, { signal: controller.signal });
  const found = [];
  for await (const event of Stream.fromSSEResponse(answer, controller, client)) found.push(event);
  return found;
}

async function refusal(change, options = {}) {
  try {
    await new OpenAI({ baseURL, apiKey, maxRetries: 0, ...options }).audio.speech.create({ ...speech, ...change });
    return null;
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return { kind: error.constructor.name, status: error.status, message: error.message, type: error.type };
  }
}

async function brokenOff() {
  const answer = await client.audio.speech.create({
    model: "hum",
    voice: "failing",
    input: "A tone that will not end well. ".repeat(3),
    response_format: "wav",
  });
  try {
    await answer.arrayBuffer();
    return "whole";
  } catch (error) {
    return error.name;
  }
}

const formats = {};
for (const format of ["mp3", "opus", "aac", "flac", "wav", "pcm"]) formats[format] = await whole(format);
const models = [];
for await (const model of client.models.list()) models.push(model.id);

console.log(
  JSON.stringify({
    formats,
    models,
    streamed: await streamed(),
    events: await events(),
    brokenOff: await brokenOff(),
    refusals: {
      voice: await refusal({ voice: "nobody" }),
      model: await refusal({ model: "espeek" }),
      field: await refusal({ colour: "red" }),
      failed: await refusal({ model: "hum", voice: "broken" }),
      key: await refusal({}, { apiKey: "wrong" }),
    },
    object: (await client.audio.speech.create({ ...speech, voice: { id: "en-us" }, instructions: "Softly." })).ok,
  }),
);
