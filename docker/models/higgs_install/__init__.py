"""`make higgs`: fetches a checkpoint of Higgs Audio, its codec and recordings for preset voices, and installs them."""
