import type { CommandFlag, CommandSpec } from './command-spec.ts';

const json: CommandFlag = { name: 'json', help: 'Print one JSON document' };

/** The flags that say where releases are stored. */
const where: readonly CommandFlag[] = [
  {
    name: 'to',
    help: 'Where releases go: s3://BUCKET/ROOT; else DAGMOUNT_TO, else what dagmount.yaml says',
    placeholder: 'ADDRESS',
  },
  {
    name: 'root',
    help: 'The name of the release root, which each step carries; the address unless given',
    placeholder: 'NAME',
  },
];

const signers: CommandFlag = {
  name: 'allowed-signers',
  help: "Whose signatures count, in OpenSSH's format; else what dagmount.yaml says",
  placeholder: 'FILE',
  completes: 'files',
};

/** The flags for the texts that are recorded with a step. */
const words: readonly CommandFlag[] = [
  { name: 'message', help: 'Why (-m); else the subject of the commit', placeholder: 'TEXT' },
  { name: 'author', help: 'Who; else by the variables of a CI, or by git', placeholder: 'NAME' },
  { name: 'commit', help: 'Of git; else by the variables of a CI, or by git', placeholder: 'HASH' },
  { name: 'url', help: 'Of the run or the merge request; else by the variables of a CI', placeholder: 'URL' },
  {
    name: 'sign',
    help: 'Sign with this private key file, or with the key of the agent whose public file this is',
    placeholder: 'KEY',
    completes: 'files',
  },
  {
    name: 'principal',
    help: 'The name under which allowed signers know the key; the address of the author unless given',
    placeholder: 'NAME',
  },
  {
    name: 'at',
    help: 'Show it at this instant and not before: 2026-01-31T08:00:00Z or +30m; nodes fetch it at once',
    placeholder: 'TIME',
  },
  { name: 'replace', help: 'Take the place of a step that waits for its time' },
  { name: 'allow-deletions', help: 'Let nodes show it though more than half of the files go' },
  {
    name: 'wait',
    help: 'Wait until each --node shows the step, for so long at most; then exit with 75',
    placeholder: 'DURATION',
  },
  {
    name: 'node',
    help: 'A node to wait for: its control socket, or the address of its --metrics-listen',
    placeholder: 'SOCKET|URL',
    completes: 'files',
    repeats: true,
  },
];

/** The commands that write and inspect releases. */
export const releaseCommands = [
  {
    name: 'deploy',
    aliases: [],
    usage: 'SOURCE… ENV [options]',
    summary: 'deploy a directory, or files on top of what is there, as one signed and recorded step',
    description: [
      'One directory is the whole tree of the environment: what is not in it goes. Files are put on top of the tree that is there. The step is atomic for every node: content and manifest are written first, then one pointer is moved by a conditional write.',
      'dagmount.yaml, found from the source upwards, says where releases go (to, root), which environments there are, which directory is the tree, filters, checks and signers. Left out are .git, __pycache__, *.pyc and .airflow-bundle-manifest.json.',
      'Before anything is written, every new Python file is parsed, and the checks of the project are run. Exits with 65 if a check fails, and with 75 if another deploy in the meantime conflicts with this one.',
    ],
    flags: [
      ...where,
      ...words,
      {
        name: 'remove',
        help: 'Take this file or directory out of the tree',
        placeholder: 'PATH',
        repeats: true,
      },
      { name: 'as', help: 'The path in the tree of the one file that is deployed', placeholder: 'PATH' },
      {
        name: 'include',
        help: 'Of a directory deploy only what matches',
        placeholder: 'GLOB',
        repeats: true,
      },
      { name: 'exclude', help: 'Of a directory leave out what matches', placeholder: 'GLOB', repeats: true },
      { name: 'check', help: 'Run this before; {} stands for a file', placeholder: 'COMMAND', repeats: true },
      { name: 'no-check', help: 'Check nothing' },
      {
        name: 'upload-all',
        help: 'Upload every content of a directory, where the store has lost or damaged some of it',
      },
      { name: 'allow-older', help: 'Deploy a directory whose commit does not have the one that is shown' },
      { name: 'dry-run', help: 'Check and say what would be deployed, and write nothing' },
      json,
    ],
    argument: 'deploy-source',
    examples: [
      { command: 'dagmount deploy my_pipeline.py production', does: 'one file, as a developer' },
      {
        command: 'dagmount deploy dags staging --to s3://acme-airflow/releases --sign ~/.ssh/deploy_key',
        does: 'the whole tree, as a CI does it',
      },
      { command: 'dagmount deploy dags production --dry-run', does: 'what would change' },
    ],
    load: () => import('./releases/deploy.ts'),
  },
  {
    name: 'promote',
    aliases: [],
    usage: 'FROM TO [options]',
    summary: 'point one environment to the release of another',
    description: ['Takes a step in TO with the release of FROM. Nothing is uploaded.'],
    flags: [...where, ...words, json],
    argument: 'environment',
    examples: [{ command: 'dagmount promote staging production', does: 'what was tested, bit by bit' }],
    load: () => import('./releases/promote.ts'),
  },
  {
    name: 'rollback',
    aliases: [],
    usage: 'ENV [--to SEQ|ID] [options]',
    summary: 'point an environment to a release that it has shown before',
    description: [
      'Goes back to the release that was shown before, or with --to to that of a step or to a release by its id. A roll-back is a new step with a new number, so nodes that refuse older steps follow it.',
    ],
    flags: [...where, ...words, json],
    argument: 'environment',
    examples: [
      { command: 'dagmount rollback production', does: 'undo the last step' },
      { command: 'dagmount rollback production --to 41', does: 'back to what step 41 showed' },
    ],
    load: () => import('./releases/rollback.ts'),
  },
  {
    name: 'releases',
    aliases: [],
    usage: 'ENV [--limit N] [options]',
    summary: 'list the steps of an environment: author, time, release, message and signers',
    description: [
      'Lists the latest steps, the newest first, and checks each against the one before it: number, hash, time, and with --allowed-signers its signature. If a check fails, the command says which and exits with 1.',
    ],
    flags: [
      ...where,
      signers,
      { name: 'limit', help: 'The newest so many; 20 unless given', placeholder: 'N' },
      json,
    ],
    argument: 'environment',
    examples: [{ command: 'dagmount releases production', does: 'each deploy and its author' }],
    load: () => import('./releases/releases.ts'),
  },
  {
    name: 'release',
    aliases: [],
    usage: 'show|diff|verify|export|gc [ENV] [arguments] [options]',
    summary: 'show, verify or export one release, or delete unused ones',
    description: [
      'show ENV [STEP]: its files. diff ENV [FROM] [TO]: the paths that differ between two steps, the last two unless given. verify ENV [STEP]: reads all of it and checks digests and signature; exits with 65 if one is wrong. export ENV DIRECTORY [STEP]: writes it into a new directory, whole or not at all.',
      'gc [ENV], over all environments of the root (ENV only says which root, where they have several): lists the manifests and packs that no environment needs for its newest --keep steps or for steps younger than --older. With --yes it marks them, and deletes those that were marked two hours ago.',
    ],
    flags: [
      ...where,
      signers,
      {
        name: 'keep',
        help: 'gc: steps that are kept of each environment; 20 unless given',
        placeholder: 'N',
      },
      { name: 'older', help: 'gc: keep what was in force since then; 30d unless given', placeholder: 'AGE' },
      { name: 'yes', help: 'gc: do it' },
      json,
    ],
    argument: 'release-action',
    examples: [
      { command: 'dagmount release diff production', does: 'what the last step changed' },
      { command: 'dagmount release export production /opt/airflow/dags-7', does: 'for a host without FUSE' },
      { command: 'dagmount release gc --keep 50 --yes', does: 'twice, two hours apart' },
    ],
    load: () => import('./releases/release.ts'),
  },
] as const satisfies readonly CommandSpec[];
