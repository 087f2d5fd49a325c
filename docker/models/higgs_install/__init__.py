"""`make higgs`: downloads and installs a checkpoint of Higgs Audio, its codec and recordings for preset voices."""
