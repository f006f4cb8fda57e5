"""Trains the churn model on Mondays, and registers it where it is better than the last."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from common.defaults import default_args
from common.paths import FEATURES, MODELS


@dag(
    schedule="0 5 * * 1",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=default_args("ml", retries=1),
    tags=["ml"],
    params={"minimum_auc": 0.82},
)
def train_churn_model():
    @task
    def train(features: str) -> dict:
        import xgboost

        data = xgboost.DMatrix(features)
        model = xgboost.train({"objective": "binary:logistic", "eval_metric": "auc"}, data, num_boost_round=300)
        return {"uri": f"{MODELS}{pendulum.now().int_timestamp}", "auc": float(model.best_score)}

    @task.branch
    def compare(model: dict, params: dict) -> str:
        return "register" if model["auc"] >= params["minimum_auc"] else "discard"

    @task
    def register(model: dict) -> None:
        print(f"registering {model['uri']} with an AUC of {model['auc']:.3f}")

    @task
    def discard() -> None:
        print("the last model stays")

    model = train(FEATURES)
    compare(model) >> [register(model), discard()]


train_churn_model()
