/** A value of the chart, and the text that it adds to the manifests. */
export interface TriedValue {
  /** The place in values.yaml. */
  readonly path: string;
  readonly value: unknown;
  /** The manifests contain this text with the value, and not without it. */
  readonly shows: string;
  /** The value shows only together with these values. */
  readonly with?: object;
}

const monitored = (kind: string): object => ({ metrics: { [kind]: { enabled: true } } });
const resources = { requests: { cpu: '123m' }, limits: { memory: '321Mi' } };

/** Every value that values.yaml has, by its path: the chart's test fails if one is missing here. */
export const triedValues: readonly TriedValue[] = [
  { path: 'image.repository', value: 'registry.example/dag', shows: 'image: registry.example/dag:0.1.0' },
  { path: 'image.tag', value: '9.9.9', shows: 'image: localhost/dagmount:9.9.9' },
  {
    path: 'image.digest',
    value: `sha256:${'0123456789abcdef'.repeat(4)}`,
    shows: 'image: localhost/dagmount@sha256:0123456789abcdef',
  },
  { path: 'image.pullPolicy', value: 'Always', shows: 'imagePullPolicy: Always' },
  { path: 'imagePullSecrets', value: [{ name: 'regcred' }], shows: 'name: regcred' },
  { path: 'nameOverride', value: 'dags', shows: 'app.kubernetes.io/name: dags' },
  { path: 'fullnameOverride', value: 'tree', shows: 'name: tree-driver' },
  {
    path: 'kubeletDir',
    value: '/var/data/kubelet',
    shows: '--endpoint=unix:///var/data/kubelet/plugins/csi.dagmount.dev/csi.sock',
  },
  { path: 'config.allow', value: ['s3://acme/dags', 's3://acme/releases/**'], shows: '- s3://acme/dags' },
  { path: 'config.endpoints', value: ['https://minio.example:9000'], shows: '- https://minio.example:9000' },
  {
    path: 'config.profiles',
    value: { default: { 'poll-interval': '30s', 'allow-idmap': true, exclude: ['*.md'] } },
    shows: 'allow-idmap: true',
  },
  { path: 'config.deadline', value: '90s', shows: 'deadline: 90s' },
  { path: 'config.idle', value: '1h', shows: 'idle: 1h' },
  { path: 'config.mounts', value: 64, shows: 'mounts: 64' },
  {
    path: 'files',
    value: { allowed_signers: 'ci@acme ssh-ed25519 AAAA\n' },
    shows: 'ci@acme ssh-ed25519 AAAA',
  },
  { path: 'csiDriver.tokenAudiences', value: ['sts.example'], shows: 'audience: "sts.example"' },
  {
    path: 'csiDriver.ephemeralVolumeProfile',
    value: 'baseline',
    shows: 'csi-ephemeral-volume-profile: baseline',
  },
  { path: 'serviceAccount.create', value: false, shows: 'serviceAccountName: default' },
  { path: 'serviceAccount.name', value: 'reader', shows: 'serviceAccountName: reader' },
  {
    path: 'serviceAccount.annotations',
    value: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/dagmount' },
    shows: 'eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/dagmount',
  },
  { path: 'driver.env', value: [{ name: 'AWS_REGION', value: 'eu-central-1' }], shows: 'name: AWS_REGION' },
  { path: 'driver.envFrom', value: [{ secretRef: { name: 'keys' } }], shows: 'envFrom:' },
  { path: 'driver.cacheDir', value: '/data/dagmount', shows: 'path: /data/dagmount' },
  { path: 'driver.resources', value: resources, shows: 'cpu: 123m' },
  { path: 'driver.priorityClassName', value: 'high', shows: 'priorityClassName: high' },
  { path: 'driver.maxUnavailable', value: '10%', shows: 'maxUnavailable: 10%' },
  { path: 'driver.nodeSelector', value: { pool: 'airflow' }, shows: 'pool: airflow' },
  {
    path: 'driver.tolerations',
    value: [{ key: 'only', operator: 'Equal', value: 'airflow' }],
    shows: 'key: only',
  },
  {
    path: 'driver.affinity',
    value: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }],
        },
      },
    },
    shows: 'nodeAffinity:',
  },
  { path: 'driver.hostNetwork', value: true, shows: 'dnsPolicy: ClusterFirstWithHostNet' },
  { path: 'driver.podLabels', value: { team: 'data' }, shows: 'team: data' },
  { path: 'driver.podAnnotations', value: { note: 'mine' }, shows: 'note: mine' },
  {
    path: 'driver.extraVolumes',
    value: [{ name: 'ca', configMap: { name: 'own-ca' } }],
    shows: 'name: own-ca',
    with: { driver: { extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/own-ca' }] } },
  },
  {
    path: 'driver.extraVolumeMounts',
    value: [{ name: 'config', mountPath: '/etc/also', readOnly: true }],
    shows: 'mountPath: /etc/also',
  },
  { path: 'holder.enabled', value: false, shows: '' },
  { path: 'holder.resources', value: resources, shows: 'memory: 321Mi' },
  {
    path: 'holder.securityContext',
    value: { seLinuxOptions: { type: 'spc_t' } },
    shows: 'type: spc_t',
  },
  { path: 'registrar.image', value: 'registry.example/registrar:1', shows: 'registry.example/registrar:1' },
  { path: 'registrar.resources', value: resources, shows: 'memory: 321Mi' },
  { path: 'livenessProbe.image', value: 'registry.example/probe:1', shows: 'registry.example/probe:1' },
  { path: 'livenessProbe.port', value: 9999, shows: '--health-port=9999' },
  { path: 'livenessProbe.resources', value: resources, shows: 'memory: 321Mi' },
  { path: 'metrics.enabled', value: false, shows: '' },
  { path: 'metrics.port', value: 9555, shows: '--metrics-listen=0.0.0.0:9555' },
  { path: 'metrics.podMonitor.enabled', value: true, shows: 'kind: PodMonitor' },
  {
    path: 'metrics.podMonitor.interval',
    value: '15s',
    shows: 'interval: 15s',
    with: monitored('podMonitor'),
  },
  {
    path: 'metrics.podMonitor.labels',
    value: { release: 'prometheus' },
    shows: 'release: prometheus',
    with: monitored('podMonitor'),
  },
  { path: 'metrics.serviceMonitor.enabled', value: true, shows: 'kind: ServiceMonitor' },
  {
    path: 'metrics.serviceMonitor.interval',
    value: '15s',
    shows: 'interval: 15s',
    with: monitored('serviceMonitor'),
  },
  {
    path: 'metrics.serviceMonitor.labels',
    value: { release: 'prometheus' },
    shows: 'release: prometheus',
    with: monitored('serviceMonitor'),
  },
  { path: 'metrics.rules.enabled', value: true, shows: 'kind: PrometheusRule' },
  {
    path: 'metrics.rules.labels',
    value: { role: 'alerts' },
    shows: 'role: alerts',
    with: monitored('rules'),
  },
  { path: 'metrics.dashboard.enabled', value: true, shows: 'dagmount.json: |' },
  {
    path: 'metrics.dashboard.labels',
    value: { dashboards: 'yes' },
    shows: 'dashboards: "yes"',
    with: monitored('dashboard'),
  },
  {
    path: 'metrics.dashboard.annotations',
    value: { folder: 'Airflow' },
    shows: 'folder: Airflow',
    with: monitored('dashboard'),
  },
];

/** Values that the schema refuses, each with a part of helm's message. */
export const refusedValues: readonly (readonly [values: object, says: RegExp])[] = [
  [{ configg: {} }, /configg/],
  [{ config: { allow: ['acme/dags'] } }, /allow/],
  [{ config: { endpoints: ['minio.example'] } }, /endpoints/],
  [{ config: { mounts: 0 } }, /mounts/],
  [{ config: { mounts: 129 } }, /mounts/],
  [{ config: { deadline: '1 minute' } }, /deadline/],
  [{ config: { profiles: { default: { exclude: { a: 'b' } } } } }, /exclude/],
  [{ image: { digest: 'sha256:short' } }, /digest/],
  [{ image: { pullPolicy: 'Sometimes' } }, /pullPolicy/],
  [{ kubeletDir: 'var/lib/kubelet' }, /kubeletDir/],
  [{ kubeletDir: '/var/lib/kubelet/' }, /kubeletDir/],
  [{ files: { 'csi.yaml': 'allow: []' } }, /csi\.yaml/],
  [{ driver: { maxUnavailable: 0 } }, /maxUnavailable/],
  [{ livenessProbe: { port: 70_000 } }, /port/],
  [{ metrics: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } } }, /metrics/],
];
