//! What a pod may do, and what it may use up.

use crate::told;

#[test]
fn pod_security_is_checked() {
    told(
        "base",
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "its root file system can be written",
    );
    told(
        "base",
        "runAsNonRoot: true",
        "runAsNonRoot: false",
        "runAsNonRoot is not true",
    );
    told(
        "base",
        "runAsUser: 65532",
        "runAsUser: 0",
        "runAsUser is no number other than 0",
    );
    told("base", "- ALL", "- NET_RAW", "capabilities are not dropped");
    told(
        "base",
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
        "allowPrivilegeEscalation is not false",
    );
    told(
        "base",
        "type: RuntimeDefault",
        "type: Unconfined",
        "no seccompProfile",
    );
    told(
        "base",
        "pod-security.kubernetes.io/enforce: restricted",
        "pod-security.kubernetes.io/enforced: restricted",
        "enforces no pod security",
    );
    let account = "automountServiceAccountToken: false\n      containers";
    told(
        "base",
        account,
        "automountServiceAccountToken: true\n      containers",
        "it has a token of the API server",
    );
    told(
        "component-dynamodb-embedded",
        "emptyDir:\n          sizeLimit: 256Mi",
        "hostPath:\n          path: /tmp",
        "a volume of kind hostPath is refused",
    );
    told(
        "base",
        "imagePullPolicy: IfNotPresent",
        "imagePullPolicy: Always",
        "it would be pulled",
    );
    told(
        "base",
        "bookwatch/details:0.1.0",
        "bookwatch/details",
        "no tag that says which",
    );
}

#[test]
fn resources_are_checked() {
    told(
        "base",
        "memory: 128Mi\n          requests",
        "memory: 16Mi\n          requests",
        "its limit of memory is below its request: 16Mi < 32Mi",
    );
    told(
        "base",
        "cpu: 500m",
        "cpu: 40m",
        "its limit of cpu is below its request",
    );
    told(
        "base",
        "memory: 128Mi\n          requests",
        "memory: 128MB\n          requests",
        "128MB is no amount of memory",
    );
    assert_eq!(
        manifests::security::quantity("1.5Gi"),
        Some(1.5 * 1024.0 * 1024.0 * 1024.0 * 1000.0)
    );
    assert_eq!(manifests::security::quantity("250m"), Some(250.0));
    assert_eq!(manifests::security::quantity("many"), None);
}
