import type { CommandFlag, CommandSpec } from './command-spec.ts';

const json: CommandFlag = { name: 'json', help: 'Print one JSON document' };

/** The flags that say where releases are stored. */
const where: readonly CommandFlag[] = [
  {
    name: 'to',
    help: 'Where releases are stored: s3://BUCKET/ROOT; else DAGMOUNT_TO, else what dagmount.yaml says',
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
  help: "The file of allowed signers, in OpenSSH's format; else what dagmount.yaml says",
  placeholder: 'FILE',
  completes: 'files',
};

/** The flags for the texts that are recorded with a step. */
const words: readonly CommandFlag[] = [
  { name: 'message', help: 'The reason (-m); else the subject of the commit', placeholder: 'TEXT' },
  { name: 'author', help: 'The author; else from the variables of a CI, or from git', placeholder: 'NAME' },
  {
    name: 'commit',
    help: 'The git commit; else from the variables of a CI, or from git',
    placeholder: 'HASH',
  },
  {
    name: 'url',
    help: 'The URL of the run or merge request; else from the variables of a CI',
    placeholder: 'URL',
  },
  {
    name: 'sign',
    help: 'Sign with this private key file, or, for a public key file, with the agent that has its private key',
    placeholder: 'KEY',
    completes: 'files',
  },
  {
    name: 'principal',
    help: 'The name of the key in the file of allowed signers; the address of the author unless given',
    placeholder: 'NAME',
  },
  {
    name: 'at',
    help: 'Show the step at this time and not before: 2026-01-31T08:00:00Z or +30m; nodes fetch it at once',
    placeholder: 'TIME',
  },
  { name: 'replace', help: 'Replace a step that waits for its time' },
  {
    name: 'allow-deletions',
    help: 'Let nodes show the step although it removes more than half of the files',
  },
  {
    name: 'wait',
    help: 'Wait at most this long until each --node shows the step; after that, exit with 75',
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
    summary: 'deploy a directory, or files on top of the current tree, as one signed and recorded step',
    description: [
      'A directory becomes the whole tree of the environment: files that it does not contain are removed. Single files are added to the current tree, or replace files in it. The step is atomic for every node: dagmount writes content and manifest first, and then moves one pointer by a conditional write.',
      'dagmount searches for dagmount.yaml from the source upwards. That file says where releases are stored (to, root), and names the environments, the directory of the tree, filters, checks and signers. dagmount leaves out .git, __pycache__, *.pyc and .airflow-bundle-manifest.json.',
      'Before it writes anything, dagmount parses every new Python file, and runs the checks of the project. Exits with 65 if a check fails, and with 75 if another deploy in the meantime conflicts with this one.',
    ],
    flags: [
      ...where,
      ...words,
      {
        name: 'remove',
        help: 'Remove this file or directory from the tree',
        placeholder: 'PATH',
        repeats: true,
      },
      { name: 'as', help: 'The path in the tree of the one file that is deployed', placeholder: 'PATH' },
      {
        name: 'include',
        help: 'Deploy only matching files of a directory',
        placeholder: 'GLOB',
        repeats: true,
      },
      {
        name: 'exclude',
        help: 'Leave out matching files of a directory',
        placeholder: 'GLOB',
        repeats: true,
      },
      {
        name: 'check',
        help: 'Run this check first; {} stands for a file',
        placeholder: 'COMMAND',
        repeats: true,
      },
      { name: 'no-check', help: 'Run no checks' },
      {
        name: 'upload-all',
        help: 'Upload all content of a directory again, if the store has lost or damaged some of it',
      },
      {
        name: 'allow-older',
        help: 'Deploy a directory even if its commit does not contain the shown commit',
      },
      { name: 'dry-run', help: 'Check, print what would be deployed, and write nothing' },
      json,
    ],
    argument: 'deploy-source',
    examples: [
      { command: 'dagmount deploy my_pipeline.py production', does: 'deploy one file, as a developer' },
      {
        command: 'dagmount deploy dags staging --to s3://acme-airflow/releases --sign ~/.ssh/deploy_key',
        does: 'deploy the whole tree, as a CI does',
      },
      { command: 'dagmount deploy dags production --dry-run', does: 'print what would change' },
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
    examples: [{ command: 'dagmount promote staging production', does: 'deploy exactly the tested bytes' }],
    load: () => import('./releases/promote.ts'),
  },
  {
    name: 'rollback',
    aliases: [],
    usage: 'ENV [--to SEQ|ID] [options]',
    summary: 'point an environment to a release that it has shown before',
    description: [
      'Goes back to the previous release, or with --to to the release of a step or to a release by its id. A roll-back is a new step with a new number, so nodes that refuse older steps follow it.',
    ],
    flags: [...where, ...words, json],
    argument: 'environment',
    examples: [
      { command: 'dagmount rollback production', does: 'undo the last step' },
      { command: 'dagmount rollback production --to 41', does: 'go back to the release of step 41' },
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
      { name: 'limit', help: 'How many of the newest steps to list; 20 unless given', placeholder: 'N' },
      json,
    ],
    argument: 'environment',
    examples: [{ command: 'dagmount releases production', does: 'list each deploy and its author' }],
    load: () => import('./releases/releases.ts'),
  },
  {
    name: 'release',
    aliases: [],
    usage: 'show|diff|verify|export|gc [ENV] [arguments] [options]',
    summary: 'show, verify or export one release, or delete unused ones',
    description: [
      'show ENV [STEP]: lists the files of a release. diff ENV [FROM] [TO]: lists the paths that differ between two steps, the last two unless given. verify ENV [STEP]: reads the whole release, and checks digests and signature; exits with 65 if one is wrong. export ENV DIRECTORY [STEP]: writes the release into a new directory, whole or not at all.',
      'gc [ENV]: lists the manifests and packs that no environment of the root needs for its newest --keep steps or for steps that were in force within --older. ENV only selects the root, if the environments have several roots. With --yes, the command marks these objects, and deletes those that it marked at least two hours earlier.',
    ],
    flags: [
      ...where,
      signers,
      {
        name: 'keep',
        help: 'gc: number of newest steps to keep of each environment; 20 unless given',
        placeholder: 'N',
      },
      {
        name: 'older',
        help: 'gc: keep releases that were in force within this time; 30d unless given',
        placeholder: 'AGE',
      },
      { name: 'yes', help: 'gc: mark and delete' },
      json,
    ],
    argument: 'release-action',
    examples: [
      { command: 'dagmount release diff production', does: 'list what the last step changed' },
      {
        command: 'dagmount release export production /opt/airflow/dags-7',
        does: 'write the files for a host without FUSE',
      },
      { command: 'dagmount release gc --keep 50 --yes', does: 'run this twice, two hours apart' },
    ],
    load: () => import('./releases/release.ts'),
  },
] as const satisfies readonly CommandSpec[];
