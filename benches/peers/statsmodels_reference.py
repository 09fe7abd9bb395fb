"""Prints what statsmodels computes on a series, for the linear AR(k) models to be equal to. One JSON object.

    target/peers/stats/bin/python benches/peers/statsmodels_reference.py SUNSPOTS.csv [--lags 1,2,9] [--column NAME]

Conditional maximum likelihood (`AutoReg`), Yule-Walker and Burg, the order by AIC and BIC, and the errors of a forecast that
sees the truth at every step beside one that feeds on itself. Not a test: the figures are copied into tests by hand.
"""

import argparse
import csv
import json
import warnings

import numpy
import statsmodels
from statsmodels.regression.linear_model import burg, yule_walker
from statsmodels.tsa.ar_model import AutoReg, ar_select_order

HELD_OUT = 30


def series_of(path, column):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    name = column or list(rows[0])[-1]
    return name, numpy.array([float(row[name]) for row in rows])


def fitted(x, lags):
    result = AutoReg(x, lags, trend="c").fit()
    return {"params": result.params.tolist(), "sigma2": float(result.sigma2), "llf": float(result.llf), "aic": float(result.aic),
            "bic": float(result.bic), "roots": [[root.real, root.imag] for root in numpy.asarray(result.roots)]}


def forecast_errors(x, lags):
    """Root mean square error on the last HELD_OUT values of a model that saw only those before."""
    split = len(x) - HELD_OUT
    params = AutoReg(x[:split], lags, trend="c").fit().params
    truth = x[split:]

    def next_of(past):
        return params[0] + params[1:] @ past[::-1][:lags]

    one_step = numpy.array([next_of(x[:t]) for t in range(split, len(x))])
    free = list(x[:split])
    for _ in truth:
        free.append(next_of(numpy.array(free)))
    rmse = lambda forecast: float(numpy.sqrt(numpy.mean((forecast - truth) ** 2)))  # noqa: E731
    return {"one_step_rmse": rmse(one_step), "free_running_rmse": rmse(numpy.array(free[split:]))}


def yule_walker_and_burg(x, lags):
    """On the series less its mean, as both methods assume."""
    centred = x - x.mean()
    answers = {}
    for name, call in {
        "yule_walker": lambda: yule_walker(centred, order=lags, method="mle", demean=False),  # autocovariances divided by n
        "yule_walker_adjusted": lambda: yule_walker(centred, order=lags, method="adjusted", demean=False),  # by n − lag
    }.items():
        phi, sigma = call()
        answers[name] = {"phi": phi.tolist(), "sigma2": float(sigma**2)}
    phi, sigma2 = burg(centred, order=lags, demean=False)
    answers["burg"] = {"phi": phi.tolist(), "sigma2": float(sigma2)}
    return {"mean": float(x.mean()), **answers}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv")
    parser.add_argument("--column", help="the last one unless named")
    parser.add_argument("--lags", default="1,2,9")
    parser.add_argument("--max-lag", type=int, default=12)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    name, x = series_of(options.csv, options.column)
    order = {criterion: len(ar_select_order(x, options.max_lag, ic=criterion, trend="c").ar_lags or []) for criterion in ("aic", "bic")}
    lags = [int(lag) for lag in options.lags.split(",")]
    print(json.dumps({
        "statsmodels": statsmodels.__version__, "column": name, "values": len(x), "order": order | {"max_lag": options.max_lag},
        "autoreg": {str(k): fitted(x, k) | forecast_errors(x, k) for k in lags},
        "moments": {str(k): yule_walker_and_burg(x, k) for k in lags},
    }, indent=1))


if __name__ == "__main__":
    main()
