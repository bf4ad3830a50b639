//! Network policies open each edge and nothing else.

use crate::told_in;

#[test]
fn policies_open_each_edge_and_nothing_else() {
    let build = "component-network-policies";
    told_in(
        build,
        "NetworkPolicy details",
        "app: dynamodb",
        "app: dynamo",
        "has the labels {\"app\": \"dynamo\"}",
    );
    told_in(
        build,
        "NetworkPolicy productpage",
        "app: reviews",
        "app: ratings",
        "no policy lets it out to Deployment bookwatch/reviews-v1 on 9080/TCP",
    );
    told_in(
        "overlay-datadog",
        "NetworkPolicy dynamodb",
        "port: 8000",
        "port: 8001",
        "no policy lets it in to Deployment bookwatch/dynamodb on 8000/TCP",
    );
    told_in(
        "overlay-datadog",
        "NetworkPolicy telemetry",
        "port: 4318",
        "port: 8080",
        "policies let it reach Deployment bookwatch/nginx-edge on 8080/TCP, which is no edge",
    );
    told_in(
        build,
        "NetworkPolicy default-deny",
        "\n  - Egress",
        "",
        "no policy denies what no other allows",
    );
    told_in(
        build,
        "NetworkPolicy dns",
        "port: 53\n      protocol: UDP",
        "port: 53\n      protocol: TCP",
        "no policy lets it ask for names",
    );
}
