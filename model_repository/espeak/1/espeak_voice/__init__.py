"""eSpeak NG as a voice of the speech contract."""
