/**
 * The messages of CSI 1.x that the driver of a node and kubelet exchange, with the field numbers of the
 * published csi.proto. The driver does not read fields that are missing here; protobuf skips them.
 */
const text = (id: number) => ({ type: 'string', id });
const texts = (id: number) => ({ keyType: 'string', type: 'string', id });
const empty = { fields: {} };
const rpc = (name: string) => ({ requestType: `${name}Request`, responseType: `${name}Response` });

export const csiMessages = {
  nested: {
    google: {
      nested: { protobuf: { nested: { BoolValue: { fields: { value: { type: 'bool', id: 1 } } } } } },
    },
    csi: {
      nested: {
        v1: {
          nested: {
            Identity: {
              methods: {
                GetPluginInfo: rpc('GetPluginInfo'),
                GetPluginCapabilities: rpc('GetPluginCapabilities'),
                Probe: rpc('Probe'),
              },
            },
            Node: {
              methods: {
                NodePublishVolume: rpc('NodePublishVolume'),
                NodeUnpublishVolume: rpc('NodeUnpublishVolume'),
                NodeGetCapabilities: rpc('NodeGetCapabilities'),
                NodeGetInfo: rpc('NodeGetInfo'),
              },
            },
            GetPluginInfoRequest: empty,
            GetPluginInfoResponse: { fields: { name: text(1), vendorVersion: text(2) } },
            GetPluginCapabilitiesRequest: empty,
            // This driver has no capability of a plugin: no controller, no topology, no expansion.
            GetPluginCapabilitiesResponse: empty,
            ProbeRequest: empty,
            ProbeResponse: { fields: { ready: { type: 'google.protobuf.BoolValue', id: 1 } } },
            NodePublishVolumeRequest: {
              fields: {
                volumeId: text(1),
                targetPath: text(4),
                volumeCapability: { type: 'VolumeCapability', id: 5 },
                secrets: texts(7),
                volumeContext: texts(8),
              },
            },
            NodePublishVolumeResponse: empty,
            NodeUnpublishVolumeRequest: { fields: { volumeId: text(1), targetPath: text(2) } },
            NodeUnpublishVolumeResponse: empty,
            NodeGetCapabilitiesRequest: empty,
            // This driver has no capability of a node: no staging, no statistics, no expansion.
            NodeGetCapabilitiesResponse: empty,
            NodeGetInfoRequest: empty,
            NodeGetInfoResponse: { fields: { nodeId: text(1) } },
            VolumeCapability: {
              fields: {
                block: { type: 'BlockVolume', id: 1 },
                mount: { type: 'MountVolume', id: 2 },
                accessMode: { type: 'AccessMode', id: 3 },
              },
            },
            BlockVolume: empty,
            MountVolume: { fields: { fsType: text(1) } },
            AccessMode: { fields: { mode: { type: 'int32', id: 1 } } },
          },
        },
      },
    },
  },
};
