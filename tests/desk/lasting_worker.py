"""The worker of an installation whose prefect.yaml has one more story: ``python -m tests.desk.lasting_worker``."""

from ezt.engine import worker
from ezt.engine.deployments import Deployment, stories

if __name__ == "__main__":
    stories()["lasting"] = Deployment("tests.desk.lasting.lasting", "")
    worker.main()
