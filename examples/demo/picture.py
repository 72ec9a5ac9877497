def draw(e, path): open(path,"w").write("<svg/>")
