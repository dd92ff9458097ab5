use super::*;

#[test]
fn the_words_of_storage_mean_one_thing() {
    for (text, want) in [
        (
            "Multi-Attach error for volume \"pvc-1\" Volume is already exclusively attached to one node",
            "attach-conflict",
        ),
        (
            "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) a-0",
            "attach-conflict",
        ),
        (
            "MountVolume.MountDevice failed for volume \"pvc-1\" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name shelf.csi.example.com not found in the list of registered CSI drivers",
            "driver-missing",
        ),
        (
            "AttachVolume.Attach failed for volume \"pvc-1\" : CSINode n1 does not contain driver shelf.csi.example.com",
            "driver-missing",
        ),
        (
            "MountVolume.SetUp failed for volume \"x\" : mount failed: exit status 32 Output: mount.nfs: Connection timed out",
            "network-storage-unreachable",
        ),
        (
            "MountVolume.SetUp failed for volume \"x\" : mount failed: exit status 32 Output: mount.nfs: access denied by server while mounting 10.0.0.9:/a",
            "permission-denied",
        ),
        (
            "MountVolume.SetUp failed for volume \"x\" : hostPath type check failed: /srv/a is not a directory",
            "device-missing",
        ),
        (
            "MountVolume.MountDevice failed for volume \"x\" : mount: wrong fs type, bad option, bad superblock on /dev/sdb",
            "file-system-wrong",
        ),
        (
            "AttachVolume.Attach failed for volume \"x\" : rpc error: code = NotFound desc = no disk v-1",
            "volume-source-missing",
        ),
    ] {
        assert_eq!(meaning(text), Some(want), "{text}");
    }
    assert_eq!(
        meaning("failed to sync configmap cache: timed out waiting for the condition"),
        None
    );
}
