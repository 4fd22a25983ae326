"""What type checkers say of the builder: each `type: ignore` is of a mistake that they find, and one that they do not find is an error."""
# pyright: reportUnnecessaryTypeIgnoreComment=true

import hearth
import hearth.trace

scenario: hearth.Scenario = (
    hearth.Scenario("typed", seed=1, network_model="ideal", horizon="1h")
    .host("head", cores=1, speed="10Gf", disk={"capacity": "1TB", "read_bandwidth": "1GBps", "write_bandwidth": 1e9})
    .hosts("node", count=2, cores=4, speed=1e10, star="rack")
    .star("rack", bandwidth="1Gbps", latency="10us")
    .link("wan", bandwidth="1Gbps", latency=0)
    .route("head", "rack", links=["wan"])
    .service(
        head="head", registry="head", nodes=["node-*"], processors="shared", instances={"concurrency": "unlimited"}
    )
    .image("img", size="1GB")
    .function("f", image="img", body=[{"sleep": "1s"}, {"write": {"file": "out", "size": 5}}], instances={"start": []})
    .policy(node_allocation="first-fit", eviction={"containers": "lru"}, keep_alive={"use": "fixed", "timeout": 5})
    .fault(at=1, host="node-0", for_="5min")
    .drawn_fault(hosts="node-*", time_between_failures={"exponential": {"mean": 300}}, time_to_repair={"constant": 1})
    .recovery(retry={"max_attempts": 3, "backoff": {"constant": "1s"}})
    .prices()
    .invoke("f", at=0)
    .invoke(workflow="album", after=[0], delay="1s")
)
scenario.trace("day.csv", columns={"arrival": {"name": "ts", "unit": "ms"}}, select={"minutes": 60}, offset="first")
scenario.generate(arrivals={"poisson": {"rate": 4}}, run_time={"lognormal": {"median": 0.4, "sigma": 1}}, requests=5)

hearth.Scenario("wrong", sed=1)  # type: ignore[call-arg]
hearth.Scenario("wrong", base="knativ")  # type: ignore[arg-type]
scenario.host("wrong", coers=1, cores=1, speed="1Gf")  # type: ignore[call-arg]
scenario.host("wrong", cores=1)  # type: ignore[call-arg]
scenario.host("wrong", cores="many", speed="1Gf")  # type: ignore[arg-type]
scenario.host("wrong", cores=1, speed="1Gf", disk={"capacity": 1, "size": 2})  # type: ignore[arg-type]
scenario.service(nodes="node-*")  # type: ignore[arg-type]
scenario.function("wrong", body=[{"sleeep": "1s"}])  # type: ignore[list-item]
scenario.policy(keepalive="fixed")  # type: ignore[call-arg]
scenario.fault(at=1, host="node-0", until="5min")  # type: ignore[call-arg]
scenario.generate(arrivals={"poison": {"rate": 4}}, requests=1)  # type: ignore[arg-type]
scenario.trace("day.csv", format="cvs")  # type: ignore[arg-type]
hearth.trace.read("day.csv", minute=5)  # type: ignore[call-arg]
hearth.trace.read("day.csv", columns={"time": "ts"})  # type: ignore[arg-type]
