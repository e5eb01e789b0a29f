/* global autobahn, Resumable */
const TOPIC = 'com.example.upload.progress';
const state = document.querySelector('#state');
const input = document.querySelector('#files');
const list = document.querySelector('#list');

/** What is shown of a file, by the id that resumable.js gives it. */
function lineOf(id, name) {
  let line = [...list.children].find((known) => known.dataset.id === id);
  if (line === undefined) {
    line = document.createElement('li');
    line.dataset.id = id;
    line.append(document.createElement('progress'), document.createElement('span'));
    list.append(line);
  }
  if (name !== undefined) line.lastChild.textContent = ` ${name}`;
  return line;
}

const connection = new autobahn.Connection({
  url: `${location.origin.replace('http', 'ws')}/ws`,
  realm: 'realm1',
  max_retries: -1,
});

const upload = new Resumable({
  target: '/upload',
  // Also when the node is started anew meanwhile: once a second, for ten minutes.
  chunkRetryInterval: 1000,
  maxChunkRetries: 600,
  // The session is another one after a reconnect, so it is asked for at each piece.
  query: () => ({ on_progress: TOPIC, session: connection.session?.id ?? '' }),
});

connection.onopen = (session) => {
  state.textContent = 'Choose files. Reload the page meanwhile and choose them again: they go on where they were.';
  input.disabled = false;
  session.subscribe(TOPIC, ([{ id, name, progress, status }]) => {
    const line = lineOf(id, status === 'finished' ? `${name}: done` : name);
    line.firstChild.value = progress;
  });
};
connection.onclose = () => {
  state.textContent = 'Not connected: files go on, and nobody tells how far they are.';
};
connection.open();

input.addEventListener('change', () => {
  upload.addFiles([...input.files]);
  input.value = '';
});
upload.on('filesAdded', (files) => {
  for (const { uniqueIdentifier, fileName } of files) lineOf(uniqueIdentifier, fileName);
  upload.upload();
});
// Events may be lost with the connection: what resumable.js says of a file counts.
upload.on('fileSuccess', (file) => {
  const line = lineOf(file.uniqueIdentifier);
  line.firstChild.value = 1;
  line.dataset.ended = 'done';
  upload.removeFile(file);
});
upload.on('fileError', (file, message) => {
  const line = lineOf(file.uniqueIdentifier, `${file.fileName}: ${message}`);
  line.firstChild.value = 0;
  line.dataset.ended = 'failed';
  upload.removeFile(file);
});
